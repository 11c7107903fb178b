// SPDX-License-Identifier: Apache-2.0
#include "object.h"

#include <cerrno>
#include <set>

#include "addon.h"
#include "arguments.h"
#include "signals.h"

namespace tapio {

KernelObject::KernelObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<KernelObject>(info)
{
	object_ = *content_of<ObjectPointer>(info);
}

Napi::Object outcome_of(Napi::Env env, int status, const LibraryLog &log)
{
	auto outcome = Napi::Object::New(env);
	outcome.Set("status", status);
	outcome.Set("log", log.text());
	return outcome;
}

bpf_object *KernelObject::checked(Napi::Env env) const
{
	if (object_ == nullptr)
		throw Napi::Error::New(env, "the object is closed");
	return object_.get();
}

bpf_map *KernelObject::map(const Napi::Value &name) const
{
	std::string text = string_of(name);
	bpf_map *map = bpf_object__find_map_by_name(checked(name.Env()), text.c_str());
	if (map == nullptr)
		throw Napi::Error::New(name.Env(), "libbpf finds no map " + text);
	return map;
}

bpf_program *KernelObject::program(const Napi::Value &name) const
{
	std::string text = string_of(name);
	bpf_program *program = bpf_object__find_program_by_name(checked(name.Env()), text.c_str());
	if (program == nullptr)
		throw Napi::Error::New(name.Env(), "libbpf finds no program " + text);
	return program;
}

// setPrograms(names): loads these and no others.
Napi::Value KernelObject::set_programs(const Napi::CallbackInfo &info)
{
	std::set<std::string> wanted;
	auto names = info[0].As<Napi::Array>();
	for (uint32_t i = 0; i < names.Length(); i++)
		wanted.insert(string_of(names.Get(i)));
	bpf_program *program;
	bpf_object__for_each_program(program, checked(info.Env())) {
		int status = bpf_program__set_autoload(
			program, wanted.count(bpf_program__name(program)) > 0);
		if (status < 0)
			return Napi::Number::New(info.Env(), status);
	}
	return Napi::Number::New(info.Env(), 0);
}

Napi::Value KernelObject::set_max_entries(const Napi::CallbackInfo &info)
{
	int status = bpf_map__set_max_entries(map(info[0]), uint32_of(info[1]));
	return Napi::Number::New(info.Env(), status);
}

Napi::Value KernelObject::set_initial_value(const Napi::CallbackInfo &info)
{
	Bytes value = bytes_of(info[1]);
	int status = bpf_map__set_initial_value(map(info[0]), value.data, value.size);
	return Napi::Number::New(info.Env(), status);
}

// libbpf loads without a verifier log first; a program that is refused is loaded again with one.
Napi::Value KernelObject::load(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	bpf_object *object = checked(info.Env());
	bpf_map *map;
	// Files in the BPF file system would outlive the process.
	bpf_object__for_each_map(map, object) bpf_map__set_pin_path(map, nullptr);
	SignalsHeldBack held_back;
	int status = bpf_object__load(object);
	return outcome_of(info.Env(), status, log);
}

Napi::Value KernelObject::map_descriptor(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), bpf_map__fd(map(info[0])));
}

// [type, keySize, valueSize, maxEntries, flags] as the kernel has them.
Napi::Value KernelObject::map_shape(const Napi::CallbackInfo &info)
{
	bpf_map *found = map(info[0]);
	const uint32_t numbers[] = {bpf_map__type(found), bpf_map__key_size(found),
				    bpf_map__value_size(found), bpf_map__max_entries(found),
				    bpf_map__map_flags(found)};
	auto shape = Napi::Array::New(info.Env());
	for (uint32_t i = 0; i < std::size(numbers); i++)
		shape.Set(i, Napi::Number::New(info.Env(), numbers[i]));
	return shape;
}

Napi::Value KernelObject::program_descriptor(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), bpf_program__fd(program(info[0])));
}

void KernelObject::close(const Napi::CallbackInfo &)
{
	object_.reset();
}

// openObject(bytes, name, kernelBtfPath): {status, log, object?}
static Napi::Value open_object(const Napi::CallbackInfo &info)
{
	Bytes bytes = bytes_of(info[0]);
	std::string name = string_of(info[1]), btf_path = string_of(info[2]);
	LIBBPF_OPTS(bpf_object_open_opts, options);
	options.object_name = name.c_str();
	options.btf_custom_path = btf_path.empty() ? nullptr : btf_path.c_str();
	LibraryLog log;
	bpf_object *opened = bpf_object__open_mem(bytes.data, bytes.size, &options);
	int status = opened == nullptr ? -errno : 0;
	auto outcome = outcome_of(info.Env(), status, log);
	if (opened == nullptr)
		return outcome;
	ObjectPointer object(opened, bpf_object__close);
	outcome.Set("object",
		    instantiate(AddonState::of(info.Env()).object_class, info.Env(), &object));
	return outcome;
}

void export_object(Napi::Env env, Napi::Object exports)
{
	using Class = KernelObject;
	auto constructor = Class::DefineClass(
		env, "KernelObject",
		{
			Class::InstanceMethod<&Class::set_programs>("setPrograms"),
			Class::InstanceMethod<&Class::set_max_entries>("setMaxEntries"),
			Class::InstanceMethod<&Class::set_initial_value>("setInitialValue"),
			Class::InstanceMethod<&Class::load>("load"),
			Class::InstanceMethod<&Class::map_descriptor>("mapDescriptor"),
			Class::InstanceMethod<&Class::map_shape>("mapShape"),
			Class::InstanceMethod<&Class::program_descriptor>("programDescriptor"),
			Class::InstanceMethod<&Class::close>("close"),
		});
	AddonState::of(env).object_class = Napi::Persistent(constructor);
	exports.Set("openObject", Napi::Function::New<open_object>(env, "openObject"));
}

} // namespace tapio
