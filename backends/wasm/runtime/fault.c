// SPDX-License-Identifier: Apache-2.0
/*
 * Faults: the record is written to memory, then the host throws, which unwinds every wasm frame.
 * Nothing in C runs on the way out, so the host puts right what the frames would have: the C stack
 * pointer (rt_stack_save / rt_stack_restore) and what the run held (held.h).
 */
#include "fault.h"

#include "paranoid.h"

RT_IMPORT(fault) _Noreturn void host_fault(void);

static struct rt_fault_record record;

void rt_fault(enum rt_fault_kind kind, u64 address, u32 size)
{
	record.kind = kind;
	record.site = rt_site;
	record.address_low = (u32)address;
	record.address_high = (u32)(address >> 32);
	record.size = size;
	record.cpu = rt_cpu;
	record.object = rt_object_near(address);
	host_fault();
}

void rt_check_access(u64 address, u32 size, bool write, enum rt_fault_kind kind)
{
	enum rt_stack_answer answer;

	if (rt_shadow_allows(address, size, write))
		return;
	answer = rt_stack_use(address, size, write);
	if (answer != RT_STACK_ALLOWED)
		rt_fault(answer == RT_STACK_FOREIGN ? kind : RT_FAULT_UNWRITTEN, address, size);
}

void rt_check_read_slowly(u64 address, u32 size)
{
	if (size != 0)
		rt_check_access(address, size, false, RT_FAULT_HELPER_READ);
}

void rt_check_write_slowly(u64 address, u32 size)
{
	if (size != 0)
		rt_check_access(address, size, true, RT_FAULT_HELPER_WRITE);
}

RT_EXPORT(rt_fault_record_address) struct rt_fault_record *rt_fault_record_address(void)
{
	return &record;
}

#ifdef __wasm__
__asm__(".globaltype __stack_pointer, i32\n");

RT_EXPORT(rt_stack_save) u32 rt_stack_save(void)
{
	u32 pointer;

	__asm__ volatile("global.get __stack_pointer\n\tlocal.set %0" : "=r"(pointer));
	return pointer;
}

RT_EXPORT(rt_stack_restore) void rt_stack_restore(u32 pointer)
{
	__asm__ volatile("local.get %0\n\tglobal.set __stack_pointer" : : "r"(pointer));
}
#endif
