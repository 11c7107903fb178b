// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/libbpf.h>
#include <napi.h>

#include <memory>
#include <string>

#include "library_log.h"

namespace tapio {

// Closes the object, its maps and its programs when the last holder is gone; links are holders.
using ObjectPointer = std::shared_ptr<bpf_object>;

// A BPF object as libbpf has it.
class KernelObject : public Napi::ObjectWrap<KernelObject> {
public:
	explicit KernelObject(const Napi::CallbackInfo &info);

	const ObjectPointer &pointer() const { return object_; }
	// Throws where the object is closed or has no such program.
	bpf_program *program(const Napi::Value &name) const;

private:
	friend void export_object(Napi::Env env, Napi::Object exports);
	bpf_map *map(const Napi::Value &name) const;
	bpf_object *checked(Napi::Env env) const;

	Napi::Value set_programs(const Napi::CallbackInfo &info);
	Napi::Value set_max_entries(const Napi::CallbackInfo &info);
	Napi::Value set_initial_value(const Napi::CallbackInfo &info);
	Napi::Value load(const Napi::CallbackInfo &info);
	Napi::Value map_descriptor(const Napi::CallbackInfo &info);
	Napi::Value map_shape(const Napi::CallbackInfo &info);
	Napi::Value program_descriptor(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	ObjectPointer object_;
};

// `{status, log}`: what came of a call into libbpf, and what libbpf said about it.
Napi::Object outcome_of(Napi::Env env, int status, const LibraryLog &log);

} // namespace tapio
