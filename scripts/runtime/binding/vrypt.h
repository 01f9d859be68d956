/*
 * What this runtime has beyond Node: checks before V8 starts, and the binding of vrypt.cc.
 */
#ifndef SRC_VRYPT_H_
#define SRC_VRYPT_H_

#include <string>
#include <vector>

namespace vrypt {

/* Before Node touches signals, stdio and limits: records what was inherited, ends the process where Node would abort. */
void OnStart();
/* JavaScript has a handler for a signal now: a parent may have blocked it, and as PID 1 OnStart has. */
void OnWatched(int signal);
/* Before V8 reserves memory. */
void BeforeV8(const std::vector<std::string>& exec_args);
/* One line on stderr, then exit code 1. */
[[noreturn]] void Refuse(const char* format, ...) __attribute__((format(printf, 1, 2)));
[[noreturn]] void RefuseThread();

}  // namespace vrypt

#endif  // SRC_VRYPT_H_
