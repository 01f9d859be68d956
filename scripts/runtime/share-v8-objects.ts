/**
 * V8 is compiled once per architecture: the second of its two runtimes takes V8's objects from the first.
 * V8 is about 80 % of the compile time, and its objects call memcpy, strlen and little else in the C library.
 * Three guards decide which objects are taken; one that fails is compiled like everything else:
 *  1. its undefined symbols are C++ names, V8's own, or in abiIdentical below;
 *  2. the C library's types in the headers of V8 and libc++ have the same size and sign in both (probe);
 *  3. ninja compiles both with the same definitions and flags, and the output of torque and mksnapshot is the same.
 */
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { $, glob } from 'zx';
import { Failure } from '../support/errors.ts';
import { say } from '../support/progress.ts';
import type { Job } from './job.ts';
import { type Places, placesOf } from './paths.ts';
import { v8SourceOf } from './platforms.ts';

/**
 * C functions with the same name, arguments and meaning in musl 1.2 and glibc 2.31 on every architecture.
 * Deliberately absent: whatever takes off_t, time_t, struct stat, timespec, sigset_t, ucontext_t or a sysconf number.
 */
export const abiIdentical: ReadonlySet<string> = new Set(
  `abort aligned_alloc atexit calloc exit free malloc posix_memalign realloc malloc_usable_size
   bcmp memchr memcmp memcpy memmove memset strcat strchr strcmp strcpy strcspn strdup strlen strncmp strncpy strrchr strspn
   strstr strpbrk strnlen strtod strtol strtoul strtoll strtoull atoi atof qsort bsearch tolower toupper isalnum isalpha isdigit islower isprint isspace isupper isxdigit
   wcslen wmemchr wmemcmp wmemcpy wmemmove wmemset
   fprintf fputc fputs fwrite fread fflush fclose feof ferror fgets fileno getc rewind setvbuf printf putchar puts putc snprintf sprintf sscanf vfprintf vprintf
   vsnprintf vsprintf stdout stderr getenv abs __errno_location __assert_fail
   acos acosh asin asinh atan atan2 atanh cbrt ceil ceilf cos cosh exp exp2 expm1 fabs floor floorf fma fmaf fmod fmodf
   frexp ldexp log log10 log1p log2 lround modf nearbyint nearbyintf pow powf rint rintf round roundf sin sinh sqrt sqrtf tan
   tanh trunc truncf logb ilogb scalbn hypot ldexpf lrint modff nan nanf nextafter nextafterf
   pthread_mutex_lock pthread_mutex_unlock pthread_mutex_trylock pthread_getspecific pthread_setspecific pthread_self
   sched_yield getpid`.split(/\s+/),
);

/** V8's, ICU's and the compiler's own: C++ names, V8's and ICU's C names, ARM's run-time helpers and outlined atomics, thread-local storage. */
const neutral =
  /^(_Z|\w+_78$|Builtins_|v8_|_v8_|PushAllRegistersAndIterateStack$|__gxx_personality_v0$|__aeabi_|__aarch64_|__cxa_|__dso_handle$|__tls_get_addr$|_GLOBAL_OFFSET_TABLE_$|___tls_get_addr$|__(u?div|u?mod|mul|fix|float|ashl|ashr|lshr|cmp|ucmp|sync|atomic|popcount|clz|ctz|powi|add|sub|trunc|extend)\w*$|_Unwind_)/;

/** The symbols that forbid sharing. */
export function foreignSymbols(undefinedSymbols: Iterable<string>): string[] {
  return [...undefinedSymbols].filter((symbol) => !neutral.test(symbol) && !abiIdentical.has(symbol));
}

/**
 * gyp targets whose objects may be taken. Not libbase and libplatform, V8's layer above the operating system, and not
 * abseil, whose parts exchange struct timespec without a trace of it in symbol names.
 */
const shareable =
  /^obj\/(gen|deps\/v8|tools\/v8_gypfiles)\/(.*\/)?(v8_(base_without_compiler|compiler|turboshaft|initializers|initializers_slow|heap_base|init|snapshot|bigint)|cppgc_base|torque_(base|generated_definitions|generated_initializers)|simdutf)\.[^/]*\.o$/;

export async function shareV8Objects(job: Job): Promise<void> {
  const taken = join(job.places.root, 'v8-objects');
  await rm(taken, { recursive: true, force: true });
  const sibling = v8SourceOf(job.target);
  if (sibling === undefined) return;
  const theirs = placesOf(sibling);
  await compareProbes(job.places, theirs);
  await compareFlags(job.places, theirs);

  const objects = (await glob('obj/**/*.o', { cwd: theirs.out })).filter((path) => shareable.test(path)).sort();
  const report: string[] = [];
  let count = 0;
  for (const [object, symbols] of await undefinedSymbolsOf(theirs.out, objects)) {
    const foreign = foreignSymbols(symbols);
    if (foreign.length > 0) {
      report.push(`compiled again: ${object}: ${foreign.join(' ')}`);
      continue;
    }
    await mkdir(dirname(join(taken, object)), { recursive: true });
    await link(join(theirs.out, object), join(taken, object));
    count++;
  }
  report.push(`${count} of ${objects.length} objects taken from ${sibling.triple}`);
  await writeFile(join(job.places.root, 'v8-objects.txt'), `${report.join('\n')}\n`);
  say(report.at(-1) ?? '');
}

/** After the build: what V8's tools generated for this libc must equal what the shared objects were compiled with. */
export async function checkGenerated(job: Job): Promise<void> {
  const sibling = v8SourceOf(job.target);
  if (sibling === undefined) return;
  const theirs = placesOf(sibling);
  const files = await glob(['gen/**/*.{h,inc,S}', 'gen/torque-generated/**', 'gen/bytecodes/**'], { cwd: theirs.out });
  if (files.length < 50) throw new Failure(`${theirs.out} must have at least 50 generated files, got ${files.length}`);
  for (const file of files) {
    const other = join(job.places.out, file);
    if (!existsSync(other) || !(await readFile(other)).equals(await readFile(join(theirs.out, file)))) {
      throw new Failure(
        `${file} differs between ${sibling.triple} and ${job.target.triple}: V8's objects cannot be shared`,
      );
    }
  }
}

const probeTypes = `char wchar_t short int long "long long" float double "long double" size_t ptrdiff_t intptr_t uintptr_t
  int8_t int16_t int32_t int64_t int_fast8_t intmax_t pthread_t pthread_mutex_t pthread_cond_t pthread_rwlock_t pthread_once_t
  pthread_key_t pthread_attr_t pthread_mutexattr_t sem_t mbstate_t max_align_t std::string std::mutex std::recursive_mutex
  std::condition_variable std::shared_mutex std::thread std::ostringstream std::stringstream std::locale std::ios_base
  std::function<void()> std::shared_ptr<int> std::unordered_map<int,int> std::map<int,int> std::optional<int>
  std::chrono::steady_clock::time_point std::ctype_base::mask`;

/** Sizes and alignments as data: the object files of both libcs must contain the same bytes. */
async function compareProbes(ours: Places, theirs: Places): Promise<void> {
  const types = (probeTypes.match(/"[^"]+"|\S+/g) ?? []).map((type) => type.replaceAll('"', ''));
  const includes =
    'chrono condition_variable cstddef cstdint functional locale map memory mutex optional shared_mutex sstream string thread unordered_map pthread.h semaphore.h wchar.h'
      .split(' ')
      .map((name) => `#include <${name}>\n`);
  const rows = types.map((type) => `sizeof(${type}), alignof(${type}),`).join('\n');
  const masks = 'space print cntrl upper lower alpha digit punct xdigit blank'
    .split(' ')
    .map((mask) => `std::ctype_base::${mask},`);
  const source = `${includes.join('')}extern const unsigned long probe[] = {\n${rows}\n${masks.join(' ')}\nEOF+1, BUFSIZ > 0, wchar_t(-1) < 0};\n`;
  const values: string[] = [];
  for (const places of [ours, theirs]) {
    const file = join(places.root, 'probe.cc');
    await writeFile(file, source);
    await $`${places.bin}/target-c++ -std=gnu++20 -S -o ${places.root}/probe.s ${file}`;
    const assembly = await readFile(join(places.root, 'probe.s'), 'utf8');
    values.push((assembly.match(/^\s*\.(long|quad|word|xword|zero)\s.*$/gm) ?? []).join('\n'));
  }
  if (values[0] === '' || values[0] !== values[1]) {
    throw new Failure(
      `the C libraries' types must be laid out alike, compare probe.s in ${ours.root} and ${theirs.root}`,
    );
  }
}

async function compareFlags(ours: Places, theirs: Places): Promise<void> {
  for (const path of await glob('obj/tools/v8_gypfiles/*.ninja', { cwd: theirs.out })) {
    const [a, b] = await Promise.all(
      [ours, theirs].map(async (places) => flagsOf(await readFile(join(places.out, path), 'utf8'))),
    );
    if (a !== b)
      throw new Failure(
        `${path} must have the same flags in both runtimes, ${relative(dirname(theirs.root), ours.root)} differs`,
      );
  }
}

function flagsOf(ninja: string): string {
  return (ninja.match(/^(defines|includes|cflags|cflags_c|cflags_cc) =(.*\$\n)*.*/gm) ?? []).join('\n');
}

async function undefinedSymbolsOf(folder: string, objects: readonly string[]): Promise<Map<string, Set<string>>> {
  const result = new Map<string, Set<string>>(objects.map((object) => [object, new Set()]));
  const list = join(folder, 'v8-objects.txt');
  await writeFile(list, objects.join('\n'));
  const output = await $({ cwd: folder, quiet: true, maxBuffer: 1 << 30 })`llvm-nm-19 -u --print-file-name @${list}`;
  for (const line of output.stdout.split('\n')) {
    const match = /^(.*\.o):\s+(?:[0-9a-f]*\s+)?[Uw]\s+(\S+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) result.get(match[1])?.add(match[2]);
  }
  return result;
}
