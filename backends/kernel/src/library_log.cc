// SPDX-License-Identifier: Apache-2.0
#include "library_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace tapio {

static thread_local LibraryLog *current_log;

// Without an open log, libbpf's words go nowhere: standard error is the application's.
int capture(int level, const char *format, __builtin_va_list arguments)
{
	if (current_log == nullptr || level == LIBBPF_DEBUG)
		return 0;
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(nullptr, 0, format, again);
	va_end(again);
	if (length <= 0)
		return 0;
	std::string &text = current_log->text_;
	size_t before = text.size();
	text.resize(before + length + 1);
	vsnprintf(text.data() + before, length + 1, format, arguments);
	text.resize(before + length);
	return length;
}

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return capture(level, format, arguments);
}

LibraryLog::LibraryLog() : outer_(current_log)
{
	current_log = this;
}

LibraryLog::~LibraryLog()
{
	current_log = outer_;
}

void LibraryLog::install()
{
	static std::once_flag once;
	std::call_once(once, [] { libbpf_set_print(print); });
}

} // namespace tapio
