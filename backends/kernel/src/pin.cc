// SPDX-License-Identifier: Apache-2.0
// Maps, programs and links as files of a BPF file system.
#include <bpf/bpf.h>

#include "addon.h"
#include "arguments.h"
#include "descriptor.h"
#include "library_log.h"

namespace tapio {

// pin(descriptor, path): 0 | -errno
static Napi::Value pin(const Napi::CallbackInfo &info)
{
	std::string path = string_of(info[1]);
	LibraryLog log;
	int status = bpf_obj_pin(static_cast<int>(uint32_of(info[0])), path.c_str());
	return Napi::Number::New(info.Env(), status < 0 ? -errno : 0);
}

// openPinned(path): Descriptor | -errno
static Napi::Value open_pinned(const Napi::CallbackInfo &info)
{
	std::string path = string_of(info[0]);
	LibraryLog log;
	int fd = bpf_obj_get(path.c_str());
	return Descriptor::wrap(info.Env(), fd < 0 ? -errno : fd);
}

// descriptorShape(descriptor): [type, keySize, valueSize, maxEntries, flags] | -errno
static Napi::Value descriptor_shape(const Napi::CallbackInfo &info)
{
	bpf_map_info map = {};
	uint32_t length = sizeof(map);
	LibraryLog log;
	if (bpf_obj_get_info_by_fd(static_cast<int>(uint32_of(info[0])), &map, &length) < 0)
		return Napi::Number::New(info.Env(), -errno);
	Napi::Array shape = Napi::Array::New(info.Env());
	const uint32_t numbers[] = { map.type, map.key_size, map.value_size, map.max_entries,
				     map.map_flags };
	for (uint32_t i = 0; i < 5; i++)
		shape.Set(i, numbers[i]);
	return shape;
}

void export_pin(Napi::Env env, Napi::Object exports)
{
	exports.Set("pin", Napi::Function::New<pin>(env, "pin"));
	exports.Set("openPinned", Napi::Function::New<open_pinned>(env, "openPinned"));
	exports.Set("descriptorShape",
		    Napi::Function::New<descriptor_shape>(env, "descriptorShape"));
}

} // namespace tapio
