/*
 * A linked binding, process._linkedBinding('vrypt'): what a server needs of the system and JavaScript cannot do. And the
 * checks that give one clear line where Node or V8 would abort with a dump, or hang, before any JavaScript has run.
 *
 * Functions answer 0 or a result; a failure is a negative errno, as libuv's are, so that util.getSystemErrorName names it.
 */
#include "vrypt.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "node.h"
#include "v8.h"

namespace node {
void ResetStdio();
}

namespace vrypt {
namespace {

using v8::Array;
using v8::Context;
using v8::FunctionCallbackInfo;
using v8::Isolate;
using v8::Local;
using v8::Object;
using v8::String;
using v8::Value;

/* Descriptors that Node opens before the first line of JavaScript. Measured: with 17 it crashes, with 18 it runs. */
constexpr rlim_t kDescriptors = 18;

/*
 * Address space that V8, its tables and its threads' stacks take until then. Measured on x86_64: 1,015,744 KiB with what
 * is in use already. aarch64's range for code is half as large; a 32-bit V8 reserves neither range nor tables.
 */
#if defined(__x86_64__)
constexpr size_t kAddressSpace = size_t{940} << 20;
#elif defined(__aarch64__)
constexpr size_t kAddressSpace = size_t{680} << 20;
#else
constexpr size_t kAddressSpace = size_t{64} << 20;
#endif

constexpr int kSignals = 65;
bool ignored[kSignals];
bool blocked[kSignals];

int64_t Integer(const FunctionCallbackInfo<Value>& args, int index) {
  return args[index]->IsNumber() ? static_cast<int64_t>(args[index].As<v8::Number>()->Value()) : -1;
}

/* exit(code): at once, without waiting for the thread pool or a thread. Standard streams get their flags back, as at any exit. */
void Exit(const FunctionCallbackInfo<Value>& args) {
  node::ResetStdio();
  _exit(static_cast<int>(Integer(args, 0)));
}

volatile sig_atomic_t overdue_code;

void OnOverdue(int) {
  node::ResetStdio();
  _exit(overdue_code);
}

/*
 * exitAfter(milliseconds, code): the process ends then, even if JavaScript never runs again: a garbage collection waits for
 * helpers of V8, and one of them may be stopped. Replaces what was set before; 0 revokes it. Takes SIGALRM, which needs no
 * thread: one may be refused, and the kernel interrupts whatever the main thread waits for.
 */
void ExitAfter(const FunctionCallbackInfo<Value>& args) {
  int64_t milliseconds = Integer(args, 0);
  overdue_code = static_cast<int>(Integer(args, 1));
  struct sigaction action = {};
  action.sa_handler = OnOverdue;
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  struct itimerval timer = {};
  timer.it_value.tv_sec = milliseconds / 1000;
  timer.it_value.tv_usec = milliseconds % 1000 * 1000;
  bool failed = milliseconds < 0 || sigaction(SIGALRM, &action, nullptr) != 0 ||
                pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr) != 0 || setitimer(ITIMER_REAL, &timer, nullptr) != 0;
  args.GetReturnValue().Set(failed ? milliseconds < 0 ? -EINVAL : -errno : 0);
}

Local<Array> Numbers(Isolate* isolate, const bool (&set)[kSignals]) {
  Local<Context> context = isolate->GetCurrentContext();
  Local<Array> array = Array::New(isolate);
  uint32_t length = 0;
  for (int signal = 1; signal < kSignals; signal++) {
    if (set[signal]) array->Set(context, length++, v8::Integer::New(isolate, signal)).Check();
  }
  return array;
}

void Set(Local<Context> context, Local<Object> object, const char* name, Local<Value> value) {
  Local<String> key = String::NewFromUtf8(context->GetIsolate(), name).ToLocalChecked();
  object->Set(context, key, value).Check();
}

/* inheritedSignals(): { ignored, blocked }, numbers: what the parent left, before Node reset it. */
void InheritedSignals(const FunctionCallbackInfo<Value>& args) {
  Isolate* isolate = args.GetIsolate();
  Local<Object> result = Object::New(isolate);
  Set(isolate->GetCurrentContext(), result, "ignored", Numbers(isolate, ignored));
  Set(isolate->GetCurrentContext(), result, "blocked", Numbers(isolate, blocked));
  args.GetReturnValue().Set(result);
}

/* peerCredentials(fd): { pid, uid, gid } of who connected to a Unix socket, or a negative errno. */
void PeerCredentials(const FunctionCallbackInfo<Value>& args) {
  struct ucred peer;
  socklen_t length = sizeof(peer);
  if (getsockopt(static_cast<int>(Integer(args, 0)), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    args.GetReturnValue().Set(-errno);
    return;
  }
  Isolate* isolate = args.GetIsolate();
  Local<Context> context = isolate->GetCurrentContext();
  Local<Object> result = Object::New(isolate);
  Set(context, result, "pid", v8::Integer::New(isolate, peer.pid));
  Set(context, result, "uid", v8::Integer::NewFromUnsigned(isolate, peer.uid));
  Set(context, result, "gid", v8::Integer::NewFromUnsigned(isolate, peer.gid));
  args.GetReturnValue().Set(result);
}

/* sendDatagram(path, text): to a Unix datagram socket; a path that begins with @ is abstract. Never waits (-EAGAIN). */
void SendDatagram(const FunctionCallbackInfo<Value>& args) {
  String::Utf8Value path(args.GetIsolate(), args[0]);
  String::Utf8Value text(args.GetIsolate(), args[1]);
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  size_t path_length = *path == nullptr ? 0 : path.length();
  if (path_length == 0 || path_length >= sizeof(address.sun_path)) {
    args.GetReturnValue().Set(-ENAMETOOLONG);
    return;
  }
  memcpy(address.sun_path, *path, path_length);
  socklen_t length = offsetof(struct sockaddr_un, sun_path) + path_length;
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    args.GetReturnValue().Set(-errno);
    return;
  }
  ssize_t sent = sendto(fd, *text, text.length(), MSG_NOSIGNAL | MSG_DONTWAIT,
                        reinterpret_cast<struct sockaddr*>(&address), length);
  int result = sent < 0 ? -errno : 0;
  close(fd);
  args.GetReturnValue().Set(result);
}

/* parentDeathSignal(signal): sent to this process when the thread that forked it ends; 0 for none. */
void ParentDeathSignal(const FunctionCallbackInfo<Value>& args) {
  int failed = prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(Integer(args, 0)), 0, 0, 0);
  args.GetReturnValue().Set(failed != 0 ? -errno : 0);
}

/* deferAccept(fd, seconds): a listening socket is woken by the first bytes of a connection, not by its handshake. */
void DeferAccept(const FunctionCallbackInfo<Value>& args) {
  int seconds = static_cast<int>(Integer(args, 1));
  int failed = setsockopt(static_cast<int>(Integer(args, 0)), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
  args.GetReturnValue().Set(failed != 0 ? -errno : 0);
}

/* sendFile(socket, file, offset, length): how many bytes the socket took, or a negative errno. */
void SendFile(const FunctionCallbackInfo<Value>& args) {
  off_t offset = static_cast<off_t>(Integer(args, 2));
  ssize_t sent = sendfile(static_cast<int>(Integer(args, 0)), static_cast<int>(Integer(args, 1)), &offset,
                          static_cast<size_t>(Integer(args, 3)));
  args.GetReturnValue().Set(static_cast<double>(sent < 0 ? -errno : sent));
}

void Register(Local<Object> exports, Local<Value> module, Local<Context> context, void* priv) {
  NODE_SET_METHOD(exports, "exit", Exit);
  NODE_SET_METHOD(exports, "exitAfter", ExitAfter);
  NODE_SET_METHOD(exports, "inheritedSignals", InheritedSignals);
  NODE_SET_METHOD(exports, "peerCredentials", PeerCredentials);
  NODE_SET_METHOD(exports, "sendDatagram", SendDatagram);
  NODE_SET_METHOD(exports, "parentDeathSignal", ParentDeathSignal);
  NODE_SET_METHOD(exports, "deferAccept", DeferAccept);
  NODE_SET_METHOD(exports, "sendFile", SendFile);
}

node::node_module binding = {
    NODE_MODULE_VERSION, node::ModuleFlags::kLinked, nullptr, __FILE__, nullptr, Register, "vrypt", nullptr, nullptr};

void RecordSignals() {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  for (int signal = 1; signal < kSignals; signal++) {
    struct sigaction action;
    // The C library keeps a few for itself and refuses to tell.
    if (sigaction(signal, nullptr, &action) != 0) continue;
    ignored[signal] = action.sa_handler == SIG_IGN;
    blocked[signal] = sigismember(&mask, signal) == 1;
  }
}

/*
 * The kernel drops a signal for PID 1 that has no handler, but not one that is blocked: that one waits until JavaScript
 * watches it (OnWatched). Threads inherit the mask, so it is the main thread that gets it; child processes get an empty one.
 */
void HoldSignals() {
  if (getpid() != 1) return;
  sigset_t held;
  sigemptyset(&held);
  for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM}) sigaddset(&held, signal);
  pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

bool IsOpen(int fd) {
  return fcntl(fd, F_GETFD) != -1 || errno != EBADF;
}

/* Node puts /dev/null where a standard stream is closed, and aborts where there is no /dev/null. */
void CheckStdio() {
  if (IsOpen(0) && IsOpen(1) && IsOpen(2)) return;
  if (access("/dev/null", R_OK | W_OK) == 0) return;
  Refuse("stdin, stdout or stderr is closed, and /dev/null cannot be opened in its place: %s", strerror(errno));
}

/* The hard limit: Node raises the soft one to it. */
void CheckDescriptors() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max >= 1024) return;
  rlim_t open = 0;
  for (rlim_t fd = 0; fd < limit.rlim_max; fd++) open += IsOpen(static_cast<int>(fd));
  if (open + kDescriptors <= limit.rlim_max) return;
  Refuse("%llu open files are allowed (ulimit -n) and %llu are open already; %llu more are needed",
         static_cast<unsigned long long>(limit.rlim_max), static_cast<unsigned long long>(open),
         static_cast<unsigned long long>(kDescriptors));
}

void CheckAddressSpace() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  void* probe = mmap(nullptr, kAddressSpace, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) {
    Refuse("%llu KiB of address space are allowed (ulimit -v); V8 needs %zu KiB beyond the program itself",
           static_cast<unsigned long long>(limit.rlim_cur >> 10), kAddressSpace >> 10);
  }
  munmap(probe, kAddressSpace);
}

/* PR_SET_MDWE, systemd's MemoryDenyWriteExecute, SELinux's execmem: all refuse this. */
void CheckExecutableMemory(const std::vector<std::string>& exec_args) {
  for (const std::string& argument : exec_args) {
    if (argument == "--jitless") return;
  }
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* probe = mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return;
  if (mprotect(probe, page, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
    Refuse("the system refuses memory that is writable and executable (MemoryDenyWriteExecute?), which V8's compilers "
           "need: %s", strerror(errno));
  }
  munmap(probe, page);
}

}  // namespace

void Refuse(const char* format, ...) {
  char line[512];
  int used = snprintf(line, sizeof(line), "%s: cannot start: ", program_invocation_short_name);
  va_list values;
  va_start(values, format);
  used += vsnprintf(line + used, sizeof(line) - used - 1, format, values);
  va_end(values);
  if (used > static_cast<int>(sizeof(line)) - 2) used = sizeof(line) - 2;
  line[used] = '\n';
  ssize_t written = write(STDERR_FILENO, line, used + 1);
  static_cast<void>(written);
  _exit(1);
}

void RefuseThread() {
  Refuse("the system refuses another thread (ulimit -u, or the container's limit of processes): %s", strerror(EAGAIN));
}

void OnStart() {
  static bool done = false;
  if (done) return;
  done = true;
  RecordSignals();
  HoldSignals();
  node_module_register(&binding);
  CheckStdio();
  CheckDescriptors();
}

void OnWatched(int signal) {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, signal);
  pthread_sigmask(SIG_UNBLOCK, &watched, nullptr);
}

void BeforeV8(const std::vector<std::string>& exec_args) {
  CheckAddressSpace();
  CheckExecutableMemory(exec_args);
}

}  // namespace vrypt
