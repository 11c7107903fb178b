// SPDX-License-Identifier: Apache-2.0
/* What the lowering calls because this uBPF cannot do it itself. */
#include "ubpf_private_calls.h"

static void check_access(const struct site *site, u64 base, bool write, bool aligned)
{
	u64 address = base + (u64)(s64)site->offset;

	if (!rt_shadow_allows(address, site->size, write))
		rt_fault(write ? RT_FAULT_STORE : RT_FAULT_LOAD, address, site->size);
	if (aligned && address % site->size != 0)
		rt_fault(RT_FAULT_MISALIGNED, address, site->size);
}

static u64 compare_exchange(const struct site *site, u64 base, u64 expected, u64 value)
{
	void *at = (void *)(uintptr_t)(base + (u64)(s64)site->offset);
	u64 old = 0;

	check_access(site, base, true, true);
	memcpy(&old, at, site->size);
	if (old == (site->size == 4 ? (u32)expected : expected))
		memcpy(at, &value, site->size);
	return old;
}

/* Division by zero gives 0, the remainder leaves the dividend; the smallest number over -1 wraps. */
static u64 divide(u32 size, s64 dividend, s64 divisor)
{
	if (size == 4) {
		dividend = (s32)dividend;
		divisor = (s32)divisor;
	}
	if (divisor == 0)
		return 0;
	if (divisor == -1)
		dividend = (s64)(0 - (u64)dividend);
	else
		dividend /= divisor;
	return size == 4 ? (u32)dividend : (u64)dividend;
}

static u64 modulo(u32 size, s64 dividend, s64 divisor)
{
	if (size == 4) {
		dividend = (s32)dividend;
		divisor = (s32)divisor;
	}
	if (divisor == -1)
		dividend = 0;
	else if (divisor != 0)
		dividend %= divisor;
	return size == 4 ? (u32)dividend : (u64)dividend;
}

static u64 call_by_number(u64 number, const u64 *arguments)
{
	rt_helper_fn helper = number > 0xffffffffu ? NULL : rt_helper_by_id((u32)number);

	if (helper == NULL)
		rt_fault(RT_FAULT_ARGUMENT, number, 0);
	return helper(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
}

u64 ubpf_private_call(const struct site *site, const u64 *arguments, u64 *register_number)
{
	u64 named = arguments[site->argument - 1];

	switch (site->kind) {
	case SITE_LOOP:
		rt_budget_charge(site->value);
		return 0;
	case SITE_FUNCTION:
		rt_function_enter(named, site->value);
		return 0;
	case SITE_CHECK_LOAD:
		check_access(site, named, false, false);
		return 0;
	case SITE_CHECK_STORE:
		check_access(site, named, true, false);
		return 0;
	case SITE_CHECK_ATOMIC:
		check_access(site, named, true, true);
		return 0;
	case SITE_CHECK_ACQUIRE:
		check_access(site, named, false, true);
		return 0;
	case SITE_COMPARE_EXCHANGE:
		return compare_exchange(site, arguments[0], arguments[1], arguments[2]);
	case SITE_DIVIDE:
		return divide(site->size, (s64)arguments[0], (s64)arguments[1]);
	case SITE_MODULO:
		return modulo(site->size, (s64)arguments[0], (s64)arguments[1]);
	case SITE_REGISTER_NUMBER:
		*register_number = arguments[0];
		return 0;
	case SITE_REGISTER_CALL:
		return call_by_number(*register_number, arguments);
	case SITE_TAIL_CALL_IN_FRAME:
		return rt_tail_call_in_frame(arguments[4]);
	case SITE_UNWIND:
		return 0;
	default:
		rt_fault(RT_FAULT_POISONED, 0, 0);
	}
}
