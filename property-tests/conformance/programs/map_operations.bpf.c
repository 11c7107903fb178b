// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every operation that programs have on a map with keys. Compiled once for each map type, with
 * SUBJECT_TYPE, SUBJECT_FLAGS and KEY_WORDS (32-bit words of a key) defined.
 */
#include "operations.h"

struct key {
	__u32 word[KEY_WORDS];
};

struct {
	__uint(type, SUBJECT_TYPE);
	__uint(max_entries, 4);
	__uint(map_flags, SUBJECT_FLAGS);
	__type(key, struct key);
	__type(value, __u64);
} subject SEC(".maps");

static __always_inline void take_key(struct bpf_raw_tracepoint_args *context, struct key *key)
{
	key->word[0] = context->args[ARGUMENT_KEY];
#if KEY_WORDS == 2
	key->word[1] = context->args[ARGUMENT_KEY_HIGH];
#endif
}

static __always_inline void look_up(struct answer *answer, const struct key *key)
{
	__u64 *value = bpf_map_lookup_elem(&subject, key);

	answer->result = value ? 0 : NOT_FOUND;
	if (value)
		answer->value = *value;
}

static __always_inline void add(struct answer *answer, const struct key *key, __u64 summand)
{
	__u64 *value = bpf_map_lookup_elem(&subject, key);

	answer->result = value ? 0 : NOT_FOUND;
	if (value)
		*value += summand;
}

static __always_inline void read_deleted(struct answer *answer, const struct key *key)
{
	__u64 *value = bpf_map_lookup_elem(&subject, key);

	answer->result = value ? 0 : NOT_FOUND;
	if (!value)
		return;
	answer->result = bpf_map_delete_elem(&subject, key);
	answer->value = *(volatile __u64 *)value;
}

static __always_inline void read_updated(struct answer *answer, const struct key *key, __u64 update)
{
	__u64 *value = bpf_map_lookup_elem(&subject, key);

	answer->result = value ? 0 : NOT_FOUND;
	if (!value)
		return;
	answer->result = bpf_map_update_elem(&subject, key, &update, BPF_ANY);
	answer->value = *(volatile __u64 *)value;
}

SEC("raw_tp/conformance")
int operate(struct bpf_raw_tracepoint_args *context)
{
	struct answer *answer = fresh_answer();
	__u64 value = context->args[ARGUMENT_VALUE];
	struct key key;

	if (!answer)
		return 1;
	take_key(context, &key);
	switch (context->args[ARGUMENT_OPERATION]) {
	case OPERATION_LOOKUP:
		look_up(answer, &key);
		break;
	case OPERATION_UPDATE:
		answer->result =
			bpf_map_update_elem(&subject, &key, &value, context->args[ARGUMENT_FLAGS]);
		break;
	case OPERATION_DELETE:
		answer->result = bpf_map_delete_elem(&subject, &key);
		break;
	case OPERATION_ADD:
		add(answer, &key, value);
		break;
	case OPERATION_READ_DELETED:
		read_deleted(answer, &key);
		break;
	case OPERATION_READ_UPDATED:
		read_updated(answer, &key, value);
		break;
	}
	return 0;
}

#ifdef HAS_PERCPU
/* Linux 5.19. */
SEC("raw_tp/conformance")
int look_up_percpu(struct bpf_raw_tracepoint_args *context)
{
	struct answer *answer = fresh_answer();
	struct key key;
	__u64 *value;

	if (!answer)
		return 1;
	take_key(context, &key);
	value = bpf_map_lookup_percpu_elem(&subject, &key, context->args[ARGUMENT_LIMIT]);
	answer->result = value ? 0 : NOT_FOUND;
	if (value)
		answer->value = *value;
	return 0;
}
#endif

#ifdef HAS_FOR_EACH
struct visit {
	__u64 limit;
	__u64 visited;
	__u64 sum;
};

/* The sum does not depend on the order; key and value weigh differently. */
static long visit_element(void *map, const struct key *key, __u64 *value, struct visit *visit)
{
	visit->visited++;
	visit->sum += 1000003ull * key->word[0] + *value;
	return visit->visited >= visit->limit;
}

/* Linux 5.13. */
SEC("raw_tp/conformance")
int visit_elements(struct bpf_raw_tracepoint_args *context)
{
	struct visit visit = { .limit = context->args[ARGUMENT_LIMIT] };
	struct answer *answer = fresh_answer();

	if (!answer)
		return 1;
	answer->result = bpf_for_each_map_elem(&subject, visit_element, &visit,
					       context->args[ARGUMENT_FLAGS]);
	answer->value = visit.sum;
	return 0;
}
#endif

char LICENSE[] SEC("license") = "GPL";
