// SPDX-License-Identifier: Apache-2.0
// The addon's entry. Functions answer with 0 or more, or with -errno; TypeScript makes errors of it.
#include "addon.h"

#include "library_log.h"

namespace tapio {

static Napi::Object initialize(Napi::Env env, Napi::Object exports)
{
	LibraryLog::install();
	env.SetInstanceData(new AddonState());
	export_descriptor(env, exports);
	export_map_creation(env, exports);
	export_map_operations(env, exports);
	export_map_batches(env, exports);
	export_mapping(env, exports);
	export_object(env, exports);
	export_attach(env, exports);
	export_program(env, exports);
	export_probe(env, exports);
	export_ring(env, exports);
	export_pin(env, exports);
	return exports;
}

} // namespace tapio

static Napi::Object initialize(Napi::Env env, Napi::Object exports)
{
	return tapio::initialize(env, exports);
}

NODE_API_MODULE(tapio_bpf, initialize)
