/*
 * musl finds the lower end of the main thread's stack with mremap(), page by page, until the kernel returns EFAULT.
 * qemu-user's 32-bit emulation always returns ENOMEM: a 32-bit runtime would hang at start. V8 needs only the upper end,
 * so for the main thread this takes it from the kernel's auxiliary vector and the size from the limit; for every other
 * thread it calls musl's own function, which libraries.ts has renamed.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int musl_pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes);

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes) {
  if (thread != pthread_self() || getpid() != syscall(SYS_gettid)) {
    return musl_pthread_getattr_np(thread, attributes);
  }
  /* The program's name is the last string on the stack. */
  const char *name = (const char *)getauxval(AT_EXECFN);
  uintptr_t page = getauxval(AT_PAGESZ);
  uintptr_t top = ((uintptr_t)name + strlen(name) + page) & -page;
  struct rlimit limit;
  uintptr_t size = 8 << 20;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < size) size = limit.rlim_cur & -page;
  pthread_attr_init(attributes);
  return pthread_attr_setstack(attributes, (void *)(top - size), size);
}
