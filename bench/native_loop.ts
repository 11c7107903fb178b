/** The loop of `bench vm` as native C, compiled when the bench runs. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `volatile`: the BPF program, too, loads and stores the sum in every iteration. */
const source = (iterations: number, rounds: number): string => `
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static __attribute__((noinline)) uint64_t loop(void)
{
	volatile uint64_t slot = 0xcbf29ce484222325ull;

	for (uint64_t i = 0; i < ${iterations}; i++) {
		uint64_t sum = (slot ^ i) * 0x1b3;

		slot = sum ^ sum >> 29;
	}
	return slot;
}

int main(void)
{
	for (int round = 0; round < ${rounds} + 1; round++) {
		struct timespec from, to;
		uint64_t sum;

		clock_gettime(CLOCK_MONOTONIC, &from);
		sum = loop();
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%lld %llu\\n", (to.tv_sec - from.tv_sec) * 1000000000ll + to.tv_nsec - from.tv_nsec,
		       (unsigned long long)sum);
	}
}
`;

export interface NativeLoop {
  /** Of whole rounds, the first, cold one left out. */
  readonly rounds_ns: readonly number[];
  readonly result: bigint;
}

/** Undefined where there is no clang. */
export function measureNativeLoop(iterations: number, rounds: number): NativeLoop | undefined {
  const folder = mkdtempSync(join(tmpdir(), "tapio-bench-"));
  try {
    const program = join(folder, "loop");
    writeFileSync(`${program}.c`, source(iterations, rounds));
    execFileSync("clang", ["-O2", "-o", program, `${program}.c`], { stdio: "ignore" });
    const lines = execFileSync(program, { encoding: "utf8" }).trim().split("\n").slice(1);
    return {
      rounds_ns: lines.map((line) => Number(line.split(" ")[0])),
      result: BigInt(lines[0]!.split(" ")[1]!),
    };
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
