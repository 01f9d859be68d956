/*
 * dlmalloc under the names of musl's allocator; libraries.ts replaces the original in libc.a.
 * musl's maps and unmaps memory all the time: 12,600 page faults and 130 ms of CPU time from the start of a server with two
 * threads to its first request, compared with 5,600 and 95 ms; both need the same memory.
 */
#define USE_DL_PREFIX
#define DLMALLOC_EXPORT static
#define HAVE_MORECORE 0
#define USE_LOCKS 1
#define USE_SPIN_LOCKS 0
/* The alignment that clang and musl promise, also with pointers of four bytes. */
#define MALLOC_ALIGNMENT ((size_t)16U)
#if __SIZEOF_POINTER__ == 4
/* When mremap() shrinks the memory of a 32-bit program, QEMU 7.2 maps over what follows it; 10.0 does not. */
#define HAVE_MREMAP 0
#endif
/* The one of 64 KiB to 1 MiB that needs the least memory. */
#define DEFAULT_GRANULARITY ((size_t)256U * 1024U)
#define NO_MALLINFO 1
#define NO_MALLOC_STATS 1
#include "dlmalloc.c"

#define NAMED(name, function) extern __typeof(function) name __attribute__((alias(#function)))
NAMED(malloc, dlmalloc);
NAMED(calloc, dlcalloc);
NAMED(realloc, dlrealloc);
NAMED(free, dlfree);
NAMED(aligned_alloc, dlmemalign);
NAMED(memalign, dlmemalign);
NAMED(posix_memalign, dlposix_memalign);
NAMED(malloc_usable_size, dlmalloc_usable_size);
NAMED(__libc_malloc, dlmalloc);
NAMED(__libc_calloc, dlcalloc);
NAMED(__libc_realloc, dlrealloc);
NAMED(__libc_free, dlfree);

/* musl's fork() calls it: before with -1, after with 0 in the parent and 1 in the child. */
void __malloc_atfork(int who) {
  ensure_initialization();
  if (who < 0) {
    ACQUIRE_LOCK(&gm->mutex);
  } else if (who == 0) {
    RELEASE_LOCK(&gm->mutex);
  } else {
    INITIAL_LOCK(&gm->mutex);
  }
}
