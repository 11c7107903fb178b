// SPDX-License-Identifier: Apache-2.0
/*
 * Runs lowered programs on uBPF's interpreter, through its public interface only. One image (one
 * uBPF VM) a program: its prologue starts the entry function or a callback, as the block behind r1
 * says.
 *
 * The bounds check of this uBPF sees an access without its direction and with the address cut to 32
 * bits; the lowering adds checks (SITE_CHECK_*) where that could let something through.
 */
#include "ubpf_engine.h"

#include <stdarg.h>
#include <stdio.h>

#include "run.h"
#include "ubpf.h"
#include "ubpf_private_calls.h"
#include "world.h"

struct callback_entry {
	struct rt_callback callback; /* first, so that a callback's address is its entry's */
	struct callback_entry *next;
};

struct image {
	struct ubpf_vm *vm;
	struct site *sites;
	u32 site_count;
	struct callback_entry *callbacks;
};

/* What r1 points at when an image starts; the prologue reads it (image_prologue in the lowering). */
struct start_block {
	u64 arguments[5];
	u64 entry; /* 0 = the program's entry function, else 1 + index of a callback */
	/* Beyond what the image may read: */
	const struct image *image;
	u64 register_number;
};
#define START_BLOCK_READABLE offsetof(struct start_block, image)

static char error_text[256];

static bool calls_helper(const struct site *site)
{
	return site->kind == SITE_HELPER || site->kind == SITE_CALLBACK_HELPER ||
	       site->kind == SITE_TAIL_CALL;
}

static u64 dispatch(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, unsigned int index, void *cookie)
{
	struct start_block *start = cookie;
	const struct site *site = &start->image->sites[index];

	if (site->kind == SITE_LOOP) {
		rt_site = index;
		rt_budget_charge(site->value);
		return 0;
	}
	if (!calls_helper(site)) {
		const u64 arguments[5] = { r1, r2, r3, r4, r5 };

		rt_site = index;
		if (site->kind == SITE_REGISTER_CALL) {
			rt_preemption_point();
			rt_site = index;
		}
		return ubpf_private_call(site, arguments, &start->register_number);
	}
	if (site->kind == SITE_CALLBACK_HELPER)
		rt_set_caller_frame(r5);
	rt_preemption_point();
	rt_site = index; /* after the point: other programs' sites came in between */
	return site->helper(r1, r2, r3, r4, r5);
}

/* ---- what uBPF asks ------------------------------------------------------------------------- */

static bool any_site(unsigned int index, const struct ubpf_vm *vm)
{
	(void)index, (void)vm;
	return true; /* the lowering numbers them */
}

static bool may_access(void *unused, u64 address, u64 size)
{
	u32 at = (u32)address;

	(void)unused;
	/* Nearly always the access lies in one granule. */
	if (at < rt_memory_size && (at & 7) + (u32)size <= (rt_shadow[at >> 3] & 15u))
		return true;
	return rt_shadow_allows(address, (u32)size, false);
}

/* The prologue has no frame of its own, so that the entry function's is the run's first. */
static int frame_size(const struct ubpf_vm *vm, uint16_t pc, void *cookie)
{
	(void)vm, (void)cookie;
	return pc == 0 ? 0 : RT_FRAME_SIZE;
}

/* uBPF reports and then gives up; the report is the fault. */
static int report(FILE *stream, const char *format, ...)
{
	va_list arguments;

	(void)stream;
	va_start(arguments, format);
	if (strstr(format, "memory") != NULL) {
		const char *direction = va_arg(arguments, const char *);
		u32 pc = va_arg(arguments, unsigned int);
		u32 address = (u32)(uintptr_t)va_arg(arguments, void *);
		u32 size = (u32)va_arg(arguments, int);

		rt_site = SITE_IS_PC | pc;
		rt_fault(direction[0] == 'l' ? RT_FAULT_LOAD : RT_FAULT_STORE, address, size);
	}
	if (strstr(format, "nested") != NULL) {
		(void)va_arg(arguments, u64);
		(void)va_arg(arguments, int);
		rt_site = SITE_IS_PC | va_arg(arguments, unsigned int);
		rt_fault(RT_FAULT_CALL_DEPTH, 0, RT_FRAMES_MAX);
	}
	rt_fault(RT_FAULT_ENGINE, 0, 0);
}

/* ---- running -------------------------------------------------------------------------------- */

/* The engine's bytes beside each frame of this run's area, once for each area. */
static void open_scratch(u64 frame)
{
	u32 top = (u32)frame - RT_SCRATCH_DISTANCE;

	for (u32 i = 0; i < RT_FRAMES_MAX; i++) {
		u32 scratch = top - i * RT_FRAME_SIZE - RT_SCRATCH_SIZE;

		rt_shadow_set((void *)(uintptr_t)scratch, RT_SCRATCH_SIZE, RT_ACCESS_WRITE);
	}
}

static u64 execute(const struct image *image, struct start_block *start, u64 frame)
{
	u64 r0 = 0;

	/* The lowest of the frames that the chain may reach tells whether all are open. */
	if (rt_shadow[((u32)frame - RT_SCRATCH_DISTANCE - RT_FRAMES_MAX * RT_FRAME_SIZE +
		       RT_FRAME_SIZE - 8) >> 3] == 0)
		open_scratch(frame);
	start->image = image;
	/* Stack, for uBPF, is the first function's frame only: what it lets pass without asking. */
	if (ubpf_exec_ex(image->vm, start, START_BLOCK_READABLE, &r0,
			 (u8 *)(uintptr_t)(frame - RT_FRAME_SIZE), RT_FRAME_SIZE) != 0)
		rt_fault(RT_FAULT_ENGINE, 0, 0);
	return r0;
}

static u64 run_program(struct rt_program *program, u64 context, u64 frame)
{
	struct start_block start;
	u64 r0;

	start.arguments[0] = context;
	start.entry = 0;
	r0 = execute(program->engine_state, &start, frame);
	rt_site = SITE_IS_END;
	return r0;
}

static u64 run_callback(struct rt_callback *callback, const u64 *arguments, u64 frame)
{
	struct start_block start;

	memcpy(start.arguments, arguments, sizeof(start.arguments));
	start.entry = callback->engine_data;
	return execute(callback->program->engine_state, &start, frame);
}

/* ---- loading -------------------------------------------------------------------------------- */

static void destroy(struct rt_program *program)
{
	struct image *image = program->engine_state;

	while (image->callbacks != NULL) {
		struct callback_entry *entry = image->callbacks;

		image->callbacks = entry->next;
		entry->callback.magic = 0;
		rt_free(entry);
	}
	if (image->vm != NULL)
		ubpf_destroy(image->vm);
	rt_free(image->sites);
	rt_free(image);
}

static struct image *image_of(struct rt_program *program)
{
	if (program->engine_state == NULL) {
		program->engine_state = rt_alloc(sizeof(struct image));
		if (program->engine_state != NULL)
			program->destroy = destroy;
	}
	return program->engine_state;
}

/*
 * Makes the callback that image entry `entry` (1, 2, ...) starts; its address is the value that
 * programs pass. Lives as long as the program. 0 when memory is used up.
 */
RT_EXPORT(ubpf_engine_callback) struct rt_callback *ubpf_engine_callback(u32 handle, u32 entry_index)
{
	struct rt_program *program = rt_program_from_handle(handle);
	struct image *image = image_of(program);
	struct callback_entry *entry = rt_alloc(sizeof(*entry));

	if (image == NULL || entry == NULL) {
		rt_free(entry);
		return NULL;
	}
	entry->callback = (struct rt_callback){
		.magic = RT_CALLBACK_MAGIC,
		.program = program,
		.run = run_callback,
		.engine_data = entry_index,
	};
	entry->next = image->callbacks;
	image->callbacks = entry;
	return &entry->callback;
}

/* Looks up the helpers; returns the index of the first site whose helper is unknown, or 0. */
static u32 resolve_helpers(struct site *sites, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		if (!calls_helper(&sites[i]))
			continue;
		sites[i].helper = rt_helper_by_id(sites[i].value);
		if (sites[i].helper == NULL)
			return i;
	}
	return 0;
}

static struct ubpf_vm *create_vm(void)
{
	struct ubpf_vm *vm = ubpf_create();

	if (vm == NULL)
		return NULL;
	ubpf_set_error_print(vm, report);
	ubpf_register_external_dispatcher(vm, dispatch, any_site);
	ubpf_register_stack_usage_calculator(vm, frame_size, NULL);
	ubpf_register_data_bounds_check(vm, NULL, may_access);
	ubpf_set_unwind_function_index(vm, SITE_UNWIND);
	return vm;
}

/*
 * Makes the program runnable. The sites pass into its ownership; the code is copied. Returns 0, the
 * index of a site whose helper does not exist, -ENOMEM, or -EINVAL with the reason at
 * ubpf_engine_error.
 */
RT_EXPORT(ubpf_engine_load)
s32 ubpf_engine_load(u32 handle, const void *code, u32 code_bytes, struct site *sites, u32 site_count)
{
	struct rt_program *program = rt_program_from_handle(handle);
	struct image *image = image_of(program);
	u32 unknown = resolve_helpers(sites, site_count);
	char *message = NULL;

	if (image == NULL)
		return -ENOMEM;
	image->sites = sites;
	image->site_count = site_count;
	if (unknown != 0)
		return (s32)unknown;
	image->vm = create_vm();
	if (image->vm == NULL)
		return -ENOMEM;
	if (ubpf_load(image->vm, code, code_bytes, &message) != 0) {
		strncpy(error_text, message == NULL ? "out of memory" : message,
			sizeof(error_text) - 1);
		rt_free(message);
		return -EINVAL;
	}
	program->entry = run_program;
	return 0;
}

RT_EXPORT(ubpf_engine_error) const char *ubpf_engine_error(void)
{
	return error_text;
}

/* Whether programs may write the values of the map at `map`: BPF_F_RDONLY_PROG is not set. */
RT_EXPORT(ubpf_engine_map_writable) u32 ubpf_engine_map_writable(const struct rt_map *map)
{
	return (map->flags & 1u << 7) == 0;
}
