// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tapio {

// What libbpf says on this thread while the object lives: warnings, and verifier logs in full.
class LibraryLog {
public:
	LibraryLog();
	~LibraryLog();
	LibraryLog(const LibraryLog &) = delete;
	LibraryLog &operator=(const LibraryLog &) = delete;

	const std::string &text() const { return text_; }

	// Sends libbpf's output here. Once a process, before anything else.
	static void install();

private:
	friend int capture(int level, const char *format, __builtin_va_list arguments);
	std::string text_;
	LibraryLog *outer_;
};

} // namespace tapio
