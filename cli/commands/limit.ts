/** `tapio-bpf limit`: rate limits of a run in progress. */

import { burstOf } from "#core/rate_limits/compile_limit.ts";
import type { RateLimit, RateLimitConfig } from "#core/rate_limits/rate_limit_config.ts";
import type { Command, OutputFormat } from "../command.ts";
import { SOCKET_OPTION, withRun } from "../daemon/with_run.ts";
import { formatTable } from "../table.ts";
import { UsageError } from "../usage_error.ts";

/** Words of the command line, and the setting that each stands for. */
const KEYS: Readonly<Record<string, keyof RateLimitConfig>> = {
  program: "per_program",
  type: "per_event_type",
  pid: "per_pid",
  cgroup: "per_cgroup",
  remote: "per_remote_address",
};

function keyNamed(word: string | undefined): keyof RateLimitConfig {
  const key = KEYS[word ?? ""];
  if (key !== undefined) return key;
  throw new UsageError(
    `limit: ${word ?? "no key given"}: limits are ${Object.keys(KEYS).join(", ")}`,
  );
}

/** `1000` or `1000/50`: events a second, and the burst. */
function limitOf(text: string | undefined): RateLimit {
  const [, rate, burst] = /^([0-9.eE]+)(?:\/(\d+))?$/.exec(text ?? "") ?? [];
  if (rate !== undefined && Number.isFinite(Number(rate))) {
    return { events_per_s: Number(rate), ...(burst === undefined ? {} : { burst: Number(burst) }) };
  }
  throw new UsageError(`limit set: ${text}: give EVENTS_PER_S or EVENTS_PER_S/BURST (1000/50)`);
}

function show(limits: RateLimitConfig, output: OutputFormat): void {
  if (output === "json") {
    console.log(JSON.stringify(limits));
    return;
  }
  const rows = Object.entries(limits).flatMap(([key, limit]) =>
    limit === undefined ? [] : [[key, `${limit.events_per_s} events/s`, `burst ${burstOf(limit)}`]],
  );
  console.log(rows.length === 0 ? "no limits" : formatTable(rows, ""));
}

export const limitSetCommand: Command = {
  words: ["limit", "set"],
  summary: "limits the events of a run in progress: program, type, pid, cgroup or remote",
  usage: "program|type|pid|cgroup|remote EVENTS_PER_S[/BURST] [--socket PATH] [-o json|table]",
  options: SOCKET_OPTION,
  positionals: [2, 2],
  async run({ options, positionals, output }) {
    const limits = { [keyNamed(positionals[0])]: limitOf(positionals[1]) };
    const now = await withRun(options["socket"], (client) => client.call("limit.set", limits));
    show(now as RateLimitConfig, output);
    return 0;
  },
};

export const limitShowCommand: Command = {
  words: ["limit", "ls"],
  summary: "lists the rate limits of a run in progress",
  usage: "[--socket PATH] [-o json|table]",
  options: SOCKET_OPTION,
  positionals: [0, 0],
  async run({ options, output }) {
    show(
      (await withRun(options["socket"], (client) => client.call("limit.show"))) as RateLimitConfig,
      output,
    );
    return 0;
  },
};

export const limitClearCommand: Command = {
  words: ["limit", "clear"],
  summary: "removes rate limits of a run in progress: those named, or all",
  usage: "[program|type|pid|cgroup|remote]... [--socket PATH] [-o json|table]",
  options: SOCKET_OPTION,
  positionals: [0, 5],
  async run({ options, positionals, output }) {
    const keys = positionals.length === 0 ? undefined : positionals.map(keyNamed);
    const now = await withRun(options["socket"], (client) =>
      client.call("limit.clear", keys === undefined ? {} : { keys }),
    );
    show(now as RateLimitConfig, output);
    return 0;
  },
};
