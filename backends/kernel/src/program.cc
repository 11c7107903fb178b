// SPDX-License-Identifier: Apache-2.0
// Running programs on request, and what the kernel knows of them.
#include <bpf/bpf.h>

#include <cerrno>
#include <cstddef>

#include "addon.h"
#include "arguments.h"
#include "descriptor.h"

namespace tapio {

// How BPF_PROG_TEST_RUN wants its input.
enum class RunInput { context = 0, data = 1 };

// runProgram(fd, input, bytes, repeat, cpu | -1, answer: Uint32Array [r0, duration_ns]): 0 | -errno
static Napi::Value run_program(const Napi::CallbackInfo &info)
{
	Bytes bytes = bytes_of(info[2]), answer = bytes_of(info[5]);
	auto input = static_cast<RunInput>(int32_of(info[1]));
	int cpu = int32_of(info[4]);
	if (answer.size < 2 * sizeof(uint32_t))
		throw Napi::TypeError::New(info.Env(), "the answer needs two elements");
	LIBBPF_OPTS(bpf_test_run_opts, options);
	if (input == RunInput::context) {
		options.ctx_in = bytes.or_null();
		options.ctx_size_in = bytes.size;
	} else {
		options.data_in = options.data_out = bytes.data;
		options.data_size_in = options.data_size_out = bytes.size;
	}
	options.repeat = int32_of(info[3]);
	if (cpu >= 0) {
		options.flags = BPF_F_TEST_RUN_ON_CPU;
		options.cpu = cpu;
	}
	int status = bpf_prog_test_run_opts(int32_of(info[0]), &options);
	auto *numbers = reinterpret_cast<uint32_t *>(answer.data);
	numbers[0] = options.retval;
	numbers[1] = options.duration;
	return Napi::Number::New(info.Env(), status < 0 ? -errno : 0);
}

// programInfo(fd, answer: Float64Array(6)): 0 | -errno. Fields that the kernel does not have stay 0.
static Napi::Value program_info(const Napi::CallbackInfo &info)
{
	Bytes answer = bytes_of(info[1]);
	if (answer.size < 6 * sizeof(double))
		throw Napi::TypeError::New(info.Env(), "the answer needs six elements");
	bpf_prog_info program = {};
	uint32_t size = sizeof(program);
	if (bpf_obj_get_info_by_fd(int32_of(info[0]), &program, &size) < 0)
		return Napi::Number::New(info.Env(), -errno);
	auto *numbers = reinterpret_cast<double *>(answer.data);
	numbers[0] = program.id;
	numbers[1] = program.xlated_prog_len / 8;
	numbers[2] = static_cast<double>(program.run_cnt);
	numbers[3] = static_cast<double>(program.run_time_ns);
	numbers[4] = static_cast<double>(program.recursion_misses);
	numbers[5] = program.verified_insns;
	return Napi::Number::New(info.Env(), 0);
}

// enableStatistics(): Descriptor | -errno. Programs count runs and time as long as it is open.
static Napi::Value enable_statistics(const Napi::CallbackInfo &info)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return Descriptor::wrap(info.Env(), fd < 0 ? -errno : fd);
}

void export_program(Napi::Env env, Napi::Object exports)
{
	exports.Set("runProgram", Napi::Function::New<run_program>(env, "runProgram"));
	exports.Set("programInfo", Napi::Function::New<program_info>(env, "programInfo"));
	exports.Set("enableStatistics",
		    Napi::Function::New<enable_statistics>(env, "enableStatistics"));
}

} // namespace tapio
