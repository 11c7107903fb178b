// SPDX-License-Identifier: Apache-2.0
#include "descriptor.h"

#include "addon.h"

namespace tapio {

Descriptor::Descriptor(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Descriptor>(info)
{
	descriptor_ = std::move(*content_of<FileDescriptor>(info));
}

Napi::Value Descriptor::wrap(Napi::Env env, int number)
{
	if (number < 0)
		return Napi::Number::New(env, number);
	FileDescriptor descriptor(number);
	return instantiate(AddonState::of(env).descriptor_class, env, &descriptor);
}

Napi::Value Descriptor::number(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), descriptor_.number());
}

void Descriptor::close(const Napi::CallbackInfo &)
{
	descriptor_.close();
}

void export_descriptor(Napi::Env env, Napi::Object)
{
	auto constructor = Descriptor::DefineClass(
		env, "Descriptor",
		{
			Descriptor::InstanceMethod<&Descriptor::number>("number"),
			Descriptor::InstanceMethod<&Descriptor::close>("close"),
		});
	AddonState::of(env).descriptor_class = Napi::Persistent(constructor);
}

} // namespace tapio
