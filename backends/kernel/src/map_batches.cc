// SPDX-License-Identifier: Apache-2.0
// Batched operations of maps (Linux 5.6). `done` is a Uint32Array of one element: how many entries
// were asked for, then how many the kernel says were done; it stays as it was where the kernel
// refused before it looked at an entry.
#include <bpf/bpf.h>

#include "addon.h"
#include "arguments.h"

namespace tapio {

static uint32_t *counter_of(const Napi::Value &value)
{
	Bytes bytes = bytes_of(value);
	if (bytes.size < sizeof(uint32_t))
		throw Napi::TypeError::New(value.Env(), "expected a Uint32Array with one element");
	return reinterpret_cast<uint32_t *>(bytes.data);
}

static Napi::Value status(const Napi::CallbackInfo &info, int result)
{
	return Napi::Number::New(info.Env(), result < 0 ? -errno : 0);
}

// mapLookupBatch(fd, cursor | null, nextCursor, keys, values, done)
static Napi::Value lookup_batch(const Napi::CallbackInfo &info)
{
	return status(info, bpf_map_lookup_batch(int32_of(info[0]), bytes_of(info[1]).or_null(),
						 bytes_of(info[2]).data, bytes_of(info[3]).data,
						 bytes_of(info[4]).data, counter_of(info[5]),
						 nullptr));
}

// mapUpdateBatch(fd, keys, values, done, flags)
static Napi::Value update_batch(const Napi::CallbackInfo &info)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	options.elem_flags = uint64_of(info[4]);
	return status(info, bpf_map_update_batch(int32_of(info[0]), bytes_of(info[1]).data,
						 bytes_of(info[2]).data, counter_of(info[3]),
						 &options));
}

// mapDeleteBatch(fd, keys, done)
static Napi::Value delete_batch(const Napi::CallbackInfo &info)
{
	return status(info, bpf_map_delete_batch(int32_of(info[0]), bytes_of(info[1]).data,
						 counter_of(info[2]), nullptr));
}

void export_map_batches(Napi::Env env, Napi::Object exports)
{
	exports.Set("mapLookupBatch", Napi::Function::New<lookup_batch>(env, "mapLookupBatch"));
	exports.Set("mapUpdateBatch", Napi::Function::New<update_batch>(env, "mapUpdateBatch"));
	exports.Set("mapDeleteBatch", Napi::Function::New<delete_batch>(env, "mapDeleteBatch"));
}

} // namespace tapio
