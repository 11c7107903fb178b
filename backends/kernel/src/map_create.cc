// SPDX-License-Identifier: Apache-2.0
// Maps that belong to no object.
#include <bpf/bpf.h>

#include "addon.h"
#include "arguments.h"
#include "descriptor.h"
#include "library_log.h"

namespace tapio {

// createMap(name, type, keySize, valueSize, maxEntries, flags, innerDescriptor): Descriptor | -errno
static Napi::Value create_map(const Napi::CallbackInfo &info)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	std::string name = string_of(info[0]);
	auto type = static_cast<bpf_map_type>(uint32_of(info[1]));
	options.map_flags = uint32_of(info[5]);
	options.inner_map_fd = uint32_of(info[6]);
	LibraryLog log;
	int fd = bpf_map_create(type, name.empty() ? nullptr : name.c_str(), uint32_of(info[2]),
				uint32_of(info[3]), uint32_of(info[4]), &options);
	return Descriptor::wrap(info.Env(), fd < 0 ? -errno : fd);
}

void export_map_creation(Napi::Env env, Napi::Object exports)
{
	exports.Set("createMap", Napi::Function::New<create_map>(env, "createMap"));
}

} // namespace tapio
