// SPDX-License-Identifier: Apache-2.0
// Operations on one element of a map, by descriptor. Lengths were checked in TypeScript.
#include <bpf/bpf.h>

#include "addon.h"
#include "arguments.h"

namespace tapio {

static Napi::Value status(const Napi::CallbackInfo &info, int result)
{
	return Napi::Number::New(info.Env(), result < 0 ? -errno : 0);
}

// mapLookup(fd, key, value, flags)
static Napi::Value lookup(const Napi::CallbackInfo &info)
{
	Bytes key = bytes_of(info[1]), value = bytes_of(info[2]);
	return status(info, bpf_map_lookup_elem_flags(int32_of(info[0]), key.or_null(), value.data,
						      uint64_of(info[3])));
}

// mapUpdate(fd, key, value, flags)
static Napi::Value update(const Napi::CallbackInfo &info)
{
	Bytes key = bytes_of(info[1]), value = bytes_of(info[2]);
	return status(info, bpf_map_update_elem(int32_of(info[0]), key.or_null(), value.or_null(),
						uint64_of(info[3])));
}

// mapDelete(fd, key)
static Napi::Value remove(const Napi::CallbackInfo &info)
{
	return status(info, bpf_map_delete_elem(int32_of(info[0]), bytes_of(info[1]).or_null()));
}

// mapTake(fd, key, value)
static Napi::Value take(const Napi::CallbackInfo &info)
{
	Bytes key = bytes_of(info[1]), value = bytes_of(info[2]);
	return status(info,
		      bpf_map_lookup_and_delete_elem(int32_of(info[0]), key.or_null(), value.data));
}

// mapNextKey(fd, key | null, next)
static Napi::Value next_key(const Napi::CallbackInfo &info)
{
	return status(info, bpf_map_get_next_key(int32_of(info[0]), bytes_of(info[1]).or_null(),
						 bytes_of(info[2]).or_null()));
}

// mapFreeze(fd): user space may no longer write.
static Napi::Value freeze(const Napi::CallbackInfo &info)
{
	return status(info, bpf_map_freeze(int32_of(info[0])));
}

void export_map_operations(Napi::Env env, Napi::Object exports)
{
	exports.Set("mapLookup", Napi::Function::New<lookup>(env, "mapLookup"));
	exports.Set("mapUpdate", Napi::Function::New<update>(env, "mapUpdate"));
	exports.Set("mapDelete", Napi::Function::New<remove>(env, "mapDelete"));
	exports.Set("mapTake", Napi::Function::New<take>(env, "mapTake"));
	exports.Set("mapNextKey", Napi::Function::New<next_key>(env, "mapNextKey"));
	exports.Set("mapFreeze", Napi::Function::New<freeze>(env, "mapFreeze"));
}

} // namespace tapio
