/** How QEMU is started. Software emulation only: a /dev/kvm that exists may still hang. */

export const SHARED_BYTES = 16 << 20;
const MEMORY_DEFAULT_MIB = 512;
/**
 * Both CPUs take turns on one thread of the host, which costs the suites 4 % of their time. With a thread for each, one
 * CPU can run what the other is just rewriting: the kernel then dies of an `int3` that it has already taken back (its
 * static keys and tracepoints), and V8's compiler crashes about every second time.
 */
const ACCELERATOR = "tcg,thread=single";

export interface Machine {
  readonly image: string;
  readonly initramfs: string;
  /** File that receives the console. */
  readonly console: string;
  /** What the guest's first process gets: `["serve"]`, `["run", "/bin/true"]`. */
  readonly arguments: readonly string[];
  /** Added to the kernel's command line. */
  readonly parameters?: readonly string[];
  /** Default 512. */
  readonly memory_mib?: number;
  /** The file that a serving guest shares. */
  readonly memory?: string;
}

const KERNEL_PARAMETERS = [
  "console=ttyS0",
  "loglevel=5",
  "panic=-1",
  "oops=panic",
  "rdinit=/init",
  // Nobody is there to press a key, and emulated time may be slow.
  "psmouse.proto=exps",
  "raid=noautodetect",
  "no_timer_check",
  "tsc=nowatchdog",
  // Whoever replaces an inner map waits for all readers; nobody measures how that disturbs others.
  "rcupdate.rcu_expedited=1",
];

export function qemuParameters(machine: Machine): string[] {
  const { image, initramfs, memory, parameters = [], memory_mib = MEMORY_DEFAULT_MIB } = machine;
  const append = [...KERNEL_PARAMETERS, ...parameters, "--", ...machine.arguments].join(" ");
  return [
    ...["-accel", ACCELERATOR, "-cpu", "max", "-m", `${memory_mib}`, "-smp", "2"],
    ...["-nodefaults", "-no-reboot", "-display", "none", "-nographic"],
    ...["-kernel", image, "-initrd", initramfs, "-append", append],
    ...["-chardev", `file,id=console,path=${machine.console}`, "-serial", "chardev:console"],
    ...(memory === undefined ? [] : sharedMemory(memory)),
  ];
}

function sharedMemory(path: string): string[] {
  const file = `memory-backend-file,id=shared,share=on,size=${SHARED_BYTES},mem-path=${path}`;
  return ["-object", file, "-device", "ivshmem-plain,memdev=shared"];
}
