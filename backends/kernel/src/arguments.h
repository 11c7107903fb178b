// SPDX-License-Identifier: Apache-2.0
// What JavaScript passes, as C++ values. A wrong type is a bug of the TypeScript side: it throws.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

namespace tapio {

struct Bytes {
	uint8_t *data = nullptr;
	size_t size = 0;

	// The kernel wants no pointer at all where a map has no key.
	uint8_t *or_null() const { return size == 0 ? nullptr : data; }
};

inline Bytes bytes_of(const Napi::Value &value)
{
	if (value.IsNull() || value.IsUndefined())
		return {};
	if (!value.IsTypedArray())
		throw Napi::TypeError::New(value.Env(), "expected a Uint8Array");
	auto array = value.As<Napi::TypedArray>();
	auto *start = static_cast<uint8_t *>(array.ArrayBuffer().Data());
	if (start == nullptr)
		return {};
	return {start + array.ByteOffset(), array.ByteLength()};
}

inline int32_t int32_of(const Napi::Value &value)
{
	if (!value.IsNumber())
		throw Napi::TypeError::New(value.Env(), "expected a number");
	return value.As<Napi::Number>().Int32Value();
}

inline uint32_t uint32_of(const Napi::Value &value)
{
	if (!value.IsNumber())
		throw Napi::TypeError::New(value.Env(), "expected a number");
	return value.As<Napi::Number>().Uint32Value();
}

// Numbers that JavaScript holds exactly: up to 2^53.
inline uint64_t uint64_of(const Napi::Value &value)
{
	if (!value.IsNumber())
		throw Napi::TypeError::New(value.Env(), "expected a number");
	return static_cast<uint64_t>(value.As<Napi::Number>().Int64Value());
}

inline std::string string_of(const Napi::Value &value)
{
	if (!value.IsString())
		throw Napi::TypeError::New(value.Env(), "expected a string");
	return value.As<Napi::String>().Utf8Value();
}

} // namespace tapio
