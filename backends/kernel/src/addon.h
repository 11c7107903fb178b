// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <memory>

#include "watcher.h"

namespace tapio {

// Everything of one JavaScript environment: each worker thread has its own.
struct AddonState {
	Napi::FunctionReference object_class;
	Napi::FunctionReference link_class;
	Napi::FunctionReference ring_class;
	Napi::FunctionReference mapping_class;
	Napi::FunctionReference descriptor_class;
	// Started with the first ring that somebody waits for.
	std::shared_ptr<Watcher> watcher;

	static AddonState &of(Napi::Env env) { return *env.GetInstanceData<AddonState>(); }
};

// Each file exports what it is about.
void export_descriptor(Napi::Env env, Napi::Object exports);
void export_map_creation(Napi::Env env, Napi::Object exports);
void export_map_operations(Napi::Env env, Napi::Object exports);
void export_map_batches(Napi::Env env, Napi::Object exports);
void export_mapping(Napi::Env env, Napi::Object exports);
void export_object(Napi::Env env, Napi::Object exports);
void export_attach(Napi::Env env, Napi::Object exports);
void export_program(Napi::Env env, Napi::Object exports);
void export_probe(Napi::Env env, Napi::Object exports);
void export_ring(Napi::Env env, Napi::Object exports);
void export_pin(Napi::Env env, Napi::Object exports);

// Makes JavaScript's instance of a native class around what `External` holds.
template <typename Content>
Napi::Object instantiate(const Napi::FunctionReference &constructor, Napi::Env env, Content *content)
{
	return constructor.New({Napi::External<Content>::New(env, content)});
}

// What a class instance is made from. JavaScript cannot call these constructors itself.
template <typename Content> Content *content_of(const Napi::CallbackInfo &info)
{
	if (info.Length() != 1 || !info[0].IsExternal())
		throw Napi::TypeError::New(info.Env(), "this class is instantiated by the addon");
	return info[0].As<Napi::External<Content>>().Data();
}

} // namespace tapio
