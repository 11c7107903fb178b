/**
 * What the wasm runtime exports, by C name (`RT_EXPORT` in `backends/wasm/runtime/*.c`). Addresses,
 * handles and sizes are numbers; a C `u32` arrives signed, so addresses above 2 GiB never occur
 * because memory ends there. A C function returning `s32` below zero answers with -errno.
 */

/** C functions that take and return 32-bit integers. */
type Call<Parameters extends readonly number[] = [], Result = number> = (
  ...args: Parameters
) => Result;

type MapCall<Parameters extends readonly number[] = []> = Call<[handle: number, ...Parameters]>;

export interface RuntimeExports {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: WebAssembly.Table;
  readonly _initialize: Call<[], void>;

  // init.c, host_memory.c, memory.c, shadow.c
  readonly rt_init: Call<[bytes: number, cpus: number, seedLow: number, seedHigh: number]>;
  readonly memory_alloc: Call<[size: number]>;
  readonly memory_free: Call<[address: number], void>;
  readonly context_create: Call<[size: number, writable: number]>;
  readonly context_destroy: Call<[address: number, size: number], void>;
  readonly rt_memory_used: Call;
  readonly rt_memory_used_max: Call;
  readonly rt_shadow_address: Call;
  readonly rt_paranoid_enable: Call;
  readonly rt_paranoid_enabled: Call;

  // fault.c
  readonly rt_fault_record_address: Call;
  readonly rt_stack_save: Call;
  readonly rt_stack_restore: Call<[pointer: number], void>;

  // program.c, run.c
  readonly program_create: Call<[contextSize: number]>;
  readonly program_address: Call<[handle: number]>;
  readonly program_put: Call<[handle: number], void>;
  readonly program_run: Call<[handle: number, context: number, cpu: number]>;
  readonly program_result_address: Call;
  readonly program_current: Call;
  readonly rt_budget_set: Call<[low: number, high: number], void>;
  readonly rt_run_depth_address: Call;
  readonly rt_run_unwind: Call<[depth: number], void>;

  // engines/ubpf/ubpf_engine.c
  readonly ubpf_engine_callback: Call<[handle: number, entry: number]>;
  readonly ubpf_engine_load: Call<
    [handle: number, code: number, codeBytes: number, sites: number, siteCount: number]
  >;
  readonly ubpf_engine_error: Call;
  readonly ubpf_engine_map_writable: Call<[map: number]>;

  // engines/aot/aot_engine.c; the functions that only compiled programs call are not listed
  readonly aot_install: Call<[handle: number, entry: number]>;
  readonly aot_callback: Call<[handle: number, index: number]>;
  readonly aot_site_address: Call;
  readonly aot_budget_address: Call;
  readonly aot_places: Call;
  readonly program_keep_map: Call<[program: number, map: number]>;
  readonly program_value_place: Call<[program: number, address: number]>;
  readonly aot_ring_positions: Call<[map: number]>;
  readonly aot_array_place: Call<[map: number]>;
  readonly aot_hash_place: Call<[map: number]>;
  readonly aot_value_bytes: Call<[map: number]>;

  // world.c
  readonly rt_seed: Call<[low: number, high: number], void>;
  readonly rt_cpu_runs_address: Call;
  readonly rt_cpu_current: Call;
  readonly rt_cpu_possible: Call;
  readonly rt_clock_address: Call;
  readonly rt_clock_set_offsets: Call<
    [bootLow: number, bootHigh: number, taiLow: number, taiHigh: number],
    void
  >;
  readonly rt_clock_set_tick: Call<[ns: number], void>;
  readonly rt_preemption_set: Call<[interval: number], void>;
  readonly rt_preemption_countdown_address: Call;
  readonly rt_preemption_point: Call<[], void>;
  readonly rt_preempt: Call<[], void>;
  readonly rt_preemption_random: Call;
  readonly rt_attachment_address: Call;

  // map.c, map_syscall.c, map_batch.c; 64-bit flags come as two halves
  readonly rt_map_create: Call<[spec: number]>;
  readonly rt_map_close: Call<[handle: number]>;
  readonly rt_map_lookup: MapCall<
    [key: number, value: number, flagsLow: number, flagsHigh: number]
  >;
  readonly rt_map_update: MapCall<
    [key: number, value: number, flagsLow: number, flagsHigh: number]
  >;
  readonly rt_map_delete: MapCall<[key: number]>;
  readonly rt_map_take: MapCall<[key: number, value: number, flagsLow: number, flagsHigh: number]>;
  readonly rt_map_next_key: MapCall<[key: number, next: number]>;
  readonly rt_map_freeze: MapCall;
  readonly rt_map_address: MapCall;
  readonly rt_map_size_of_value: MapCall;
  readonly rt_map_max_entries: MapCall;
  readonly rt_map_memory_bytes: MapCall;
  readonly rt_map_values: MapCall;
  readonly rt_map_mmap: MapCall;
  readonly rt_map_cursor_bytes: MapCall;
  readonly rt_map_lookup_batch: MapCall<
    [cursor: number, next: number, keys: number, values: number, count: number, flags: number]
  >;
  readonly rt_map_take_batch: MapCall<
    [cursor: number, next: number, keys: number, values: number, count: number, flags: number]
  >;
  readonly rt_map_update_batch: MapCall<
    [keys: number, values: number, count: number, flags: number]
  >;
  readonly rt_map_delete_batch: MapCall<[keys: number, count: number, flags: number]>;

  // task.c, simulated_memory.c
  readonly rt_task_address: Call<[slot: number]>;
  readonly rt_current_tasks_address: Call;
  readonly rt_kernel_alloc: Call<[size: number]>;
  readonly rt_kernel_free: Call<[address: number, size: number], void>;
  readonly rt_user_alloc: Call<[size: number]>;
  readonly rt_user_free: Call<[address: number, size: number], void>;

  // timer.c
  readonly rt_advance: Call<[untilLow: number, untilHigh: number, limit: number]>;
  readonly rt_next_timer_address: Call;

  // helpers.c
  readonly rt_helper_index: Call<[id: number]>;

  // ring.c, perf_buffer.c
  readonly rt_ring_open: Call<[handle: number, capacity: number]>;
  readonly rt_ring_close: Call<[ring: number], void>;
  readonly rt_ring_fill: Call<[ring: number, room: number]>;
  readonly rt_ring_release: Call<[ring: number], void>;
  readonly rt_perf_open: Call<[handle: number, cpu: number, sizeBytes: number, capacity: number]>;
  readonly rt_perf_close: Call<[buffer: number], void>;

  // task_define.c
  readonly task_first_slot: Call;
  readonly task_define: Call<
    [
      slot: number,
      pid: number,
      tid: number,
      parentPid: number,
      uid: number,
      gid: number,
      cgroupLow: number,
      cgroupHigh: number,
      startLow: number,
      startHigh: number,
      kernelAddress: number,
      comm: number,
    ]
  >;
  readonly task_set_namespaces: Call<
    [
      slot: number,
      pid: number,
      net: number,
      mnt: number,
      uts: number,
      ipc: number,
      cgroup: number,
      user: number,
    ]
  >;

  // program_info.c
  readonly program_run_count: Call<[handle: number]>;
  readonly program_recursion_misses: Call<[handle: number]>;

  // replay.c
  readonly hook_define: Call<[hook: number, contextSize: number]>;
  readonly hook_attach: Call<[hook: number, program: number]>;
  readonly hook_detach: Call<[hook: number, program: number]>;
  readonly replay_begin: Call<
    [
      count: number,
      baseLow: number,
      baseHigh: number,
      deltas: number,
      cpus: number,
      tasks: number,
      hooks: number,
      contexts: number,
    ],
    void
  >;
  readonly replay_run: Call<[limit: number]>;
  readonly replay_preempt: Call;
  readonly replay_unattached: Call;
}
