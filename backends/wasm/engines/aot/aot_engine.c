// SPDX-License-Identifier: Apache-2.0
/*
 * What compiled programs call besides helpers, and how they become programs of the runtime. A compiled
 * program is a wasm module of its own; its functions lie in the runtime's table. The site of everything
 * is the slot of the instruction.
 */
#include "paranoid.h"
#include "program.h"
#include "run.h"

RT_IMPORT(release_function) void host_release_function(u32 index);

struct callback_entry {
	struct rt_callback callback; /* first, so that a callback's address is its entry's */
	struct callback_entry *next;
};

struct compiled {
	struct callback_entry *callbacks;
};

/* Of aot_check's `access`, beyond the size in bytes. */
#define ACCESS_SIZE 0xffu
#define ACCESS_WRITE 0x100u
#define ACCESS_ALIGNED 0x200u
#define ACCESS_UPDATE 0x400u /* reads what it writes */

static u32 table_index(const void *function)
{
	return (u32)(uintptr_t)function;
}

static void destroy(struct rt_program *program)
{
	struct compiled *compiled = program->engine_state;

	while (compiled->callbacks != NULL) {
		struct callback_entry *entry = compiled->callbacks;

		compiled->callbacks = entry->next;
		entry->callback.magic = 0;
		host_release_function(table_index((void *)entry->callback.run));
		rt_free(entry);
	}
	host_release_function(table_index((void *)program->entry));
	rt_free(compiled);
}

/*
 * Makes the function at `entry` of the table (an rt_entry_fn) what the program runs. The program owns
 * the table's place from then on. Returns 0 or -ENOMEM.
 */
RT_EXPORT(aot_install) s32 aot_install(u32 handle, u32 entry)
{
	struct rt_program *program = rt_program_from_handle(handle);
	struct compiled *compiled = rt_alloc(sizeof(*compiled));

	if (compiled == NULL)
		return -ENOMEM;
	program->engine_state = compiled;
	program->entry = (rt_entry_fn)(uintptr_t)entry;
	program->destroy = destroy;
	return 0;
}

/*
 * Makes a callback of an installed program that runs the function at `index` of the table, and owns that
 * place; its address is the value that programs pass. 0 when memory is used up.
 */
RT_EXPORT(aot_callback) struct rt_callback *aot_callback(u32 handle, u32 index)
{
	struct rt_program *program = rt_program_from_handle(handle);
	struct compiled *compiled = program->engine_state;
	struct callback_entry *entry = rt_alloc(sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->callback.magic = RT_CALLBACK_MAGIC;
	entry->callback.program = program;
	entry->callback.run =
		(u64(*)(struct rt_callback *, const u64 *, u64))(uintptr_t)index;
	entry->next = compiled->callbacks;
	compiled->callbacks = entry;
	return &entry->callback;
}

RT_EXPORT(aot_fault) void aot_fault(u32 kind, u32 site, u64 address)
{
	rt_site = site;
	rt_fault(kind, address, 0);
}

/* The access failed the check that stands in the code: it crosses granules, or it is a fault. */
RT_EXPORT(aot_check) void aot_check(u64 address, u32 site, u32 access)
{
	u32 size = access & ACCESS_SIZE;
	bool write = (access & ACCESS_WRITE) != 0;

	rt_site = site;
	if ((access & ACCESS_UPDATE) != 0 &&
	    rt_stack_use(address, size, false) == RT_STACK_UNWRITTEN)
		rt_fault(RT_FAULT_UNWRITTEN, address, size);
	rt_check_access(address, size, write, write ? RT_FAULT_STORE : RT_FAULT_LOAD);
	if ((access & ACCESS_ALIGNED) != 0 && address % size != 0)
		rt_fault(RT_FAULT_MISALIGNED, address, size);
}

/* callx: a helper whose number is in a register. */
RT_EXPORT(aot_call_by_number)
u64 aot_call_by_number(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, u64 number)
{
	rt_helper_fn helper = number > 0xffffffffu ? NULL : rt_helper_by_id((u32)number);

	if (helper == NULL)
		rt_fault(RT_FAULT_ARGUMENT, number, 0);
	return helper(r1, r2, r3, r4, r5);
}

RT_EXPORT(aot_function_enter) void aot_function_enter(u64 frame, u32 cost)
{
	rt_function_enter(frame, cost);
}

RT_EXPORT(aot_set_caller_frame) void aot_set_caller_frame(u64 frame)
{
	rt_set_caller_frame(frame);
}

RT_EXPORT(aot_tail_call_in_frame) u64 aot_tail_call_in_frame(u64 frame)
{
	return rt_tail_call_in_frame(frame);
}

RT_EXPORT(aot_site_address) u32 *aot_site_address(void)
{
	return &rt_site;
}

/* Instructions that the innermost run may still take. */
RT_EXPORT(aot_budget_address) u64 *aot_budget_address(void)
{
	return &rt_budget;
}
