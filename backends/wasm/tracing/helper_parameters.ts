/** How the parameters of helpers are called. */
import { helperName } from "#wasm/loader/helper_names.ts";

/** Of the helpers that the runtime has, by name, as libbpf's `bpf_helper_defs.h` calls them. */
export const HELPER_PARAMETERS: ReadonlyMap<string, readonly string[]> = new Map(
  `
map_lookup_elem map key
map_update_elem map key value flags
map_delete_elem map key
probe_read dst size unsafe_ptr
ktime_get_ns
trace_printk fmt fmt_size ...
get_prandom_u32
get_smp_processor_id
tail_call ctx prog_array_map index
get_current_pid_tgid
get_current_uid_gid
get_current_comm buf size_of_buf
perf_event_output ctx map flags data size
get_stackid ctx map flags
get_current_task
get_numa_node_id
probe_read_str dst size unsafe_ptr
get_stack ctx buf size flags
get_current_cgroup_id
map_push_elem map value flags
map_pop_elem map value
map_peek_elem map value
spin_lock lock
spin_unlock lock
strtol buf buf_len flags res
strtoul buf buf_len flags res
probe_read_user dst size unsafe_ptr
probe_read_kernel dst size unsafe_ptr
probe_read_user_str dst size unsafe_ptr
probe_read_kernel_str dst size unsafe_ptr
jiffies64
get_ns_current_pid_tgid dev ino nsdata size
get_current_ancestor_cgroup_id ancestor_level
ktime_get_boot_ns
ringbuf_output ringbuf data size flags
ringbuf_reserve ringbuf size flags
ringbuf_submit data flags
ringbuf_discard data flags
ringbuf_query ringbuf flags
task_storage_get map task value flags
task_storage_delete map task
get_current_task_btf
ktime_get_coarse_ns
for_each_map_elem map callback_fn callback_ctx flags
snprintf str str_size fmt data data_len
timer_init timer map flags
timer_set_callback timer callback_fn
timer_start timer nsecs flags
timer_cancel timer
get_func_ip ctx
get_attach_cookie ctx
trace_vprintk fmt fmt_size data data_len
loop nr_loops callback_fn callback_ctx flags
strncmp s1 s1_sz s2
map_lookup_percpu_elem map key cpu
dynptr_from_mem data size flags ptr
ringbuf_reserve_dynptr ringbuf size flags ptr
ringbuf_submit_dynptr ptr flags
ringbuf_discard_dynptr ptr flags
dynptr_read dst len src offset flags
dynptr_write dst offset src len flags
dynptr_data ptr offset len
ktime_get_tai_ns
cgrp_storage_get map cgroup value flags
cgrp_storage_delete map cgroup
`
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", ...parameters] = line.split(" ");
      return [`bpf_${name}`, parameters];
    }),
);

const UNNAMED = ["r1", "r2", "r3", "r4", "r5"];

/** In order of r1 to r5; `...` ends the list of a helper that takes more. */
export function helperParameters(id: number): readonly string[] {
  return HELPER_PARAMETERS.get(helperName(id) ?? "") ?? UNNAMED;
}
