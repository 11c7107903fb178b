// SPDX-License-Identifier: Apache-2.0
// What this kernel can do, found out by trying.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <ctime>
#include <iterator>

#include "addon.h"
#include "arguments.h"
#include "file_descriptor.h"
#include "library_log.h"

namespace tapio {

// Each answers 1 (it can), 0 (it cannot) or -errno (nobody knows).

static Napi::Value probe_program_type(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	auto type = static_cast<bpf_prog_type>(uint32_of(info[0]));
	return Napi::Number::New(info.Env(), libbpf_probe_bpf_prog_type(type, nullptr));
}

static Napi::Value probe_map_type(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	auto type = static_cast<bpf_map_type>(uint32_of(info[0]));
	return Napi::Number::New(info.Env(), libbpf_probe_bpf_map_type(type, nullptr));
}

// probeHelper(programType, helper)
static Napi::Value probe_helper(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	auto type = static_cast<bpf_prog_type>(uint32_of(info[0]));
	auto helper = static_cast<bpf_func_id>(uint32_of(info[1]));
	return Napi::Number::New(info.Env(), libbpf_probe_bpf_helper(type, helper, nullptr));
}

static Napi::Value library_version(const Napi::CallbackInfo &info)
{
	return Napi::String::New(info.Env(), libbpf_version_string());
}

static Napi::Value possible_cpus(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	return Napi::Number::New(info.Env(), libbpf_num_possible_cpus());
}

// ownProcessId(): this process's number in the initial PID namespace, which is what programs see; in a
// container it is not getpid(). Nothing in /proc tells it, but a program does. Linux 5.10. Or -errno.
static Napi::Value own_process_id(const Napi::CallbackInfo &info)
{
	const bpf_insn program[] = {
		{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid},
		{BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 32},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	LibraryLog log;
	FileDescriptor descriptor(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "own_process_id", "GPL",
						program, std::size(program), nullptr));
	if (!descriptor.open())
		return Napi::Number::New(info.Env(), -errno);
	LIBBPF_OPTS(bpf_test_run_opts, options);
	if (bpf_prog_test_run_opts(descriptor.number(), &options) < 0)
		return Napi::Number::New(info.Env(), -errno);
	return Napi::Number::New(info.Env(), options.retval);
}

// CPU time of the calling thread in nanoseconds: for benchmarks. What Node offers advances in ticks.
static Napi::Value thread_cpu_time(const Napi::CallbackInfo &info)
{
	timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return Napi::Number::New(info.Env(), 1e9 * static_cast<double>(time.tv_sec) +
						     static_cast<double>(time.tv_nsec));
}

void export_probe(Napi::Env env, Napi::Object exports)
{
	exports.Set("probeProgramType",
		    Napi::Function::New<probe_program_type>(env, "probeProgramType"));
	exports.Set("probeMapType", Napi::Function::New<probe_map_type>(env, "probeMapType"));
	exports.Set("probeHelper", Napi::Function::New<probe_helper>(env, "probeHelper"));
	exports.Set("libraryVersion", Napi::Function::New<library_version>(env, "libraryVersion"));
	exports.Set("threadCpuTime", Napi::Function::New<thread_cpu_time>(env, "threadCpuTime"));
	exports.Set("ownProcessId", Napi::Function::New<own_process_id>(env, "ownProcessId"));
	exports.Set("possibleCpus", Napi::Function::New<possible_cpus>(env, "possibleCpus"));
}

} // namespace tapio
