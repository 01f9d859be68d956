/*
 * Measures what wrk cannot; small, so that it does not disturb. Built and started by test/bench.
 *   probe response CORES PORT PROGRAM [ARG…]  starts the program on these cores ("0-1"), prints the microseconds from fork to
 *                                             the first byte of its first response , and those of CPU time, and ends it
 *   probe exit CORES PROGRAM [ARG…]           prints the microseconds from fork to its exit, and those of CPU time
 *   probe hold PORT COUNT                     opens connections, asks once on each, prints how many were answered before
 *                                             one was not, and holds them until its standard input ends
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int ask(int port) {
  char in[4096];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct timeval patience = {.tv_sec = 3};
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
      send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) > 0 && recv(fd, in, sizeof in, 0) > 0)
    return fd;
  close(fd);
  return -1;
}

static pid_t start(const char *cores, char **command) {
  int first = 0, last = 0;
  cpu_set_t set;
  if (sscanf(cores, "%d-%d", &first, &last) < 2) last = first;
  CPU_ZERO(&set);
  for (int core = first; core <= last; core++) CPU_SET(core, &set);
  pid_t pid = vfork();
  if (pid != 0) return pid;
  setpgid(0, 0);
  sched_setaffinity(0, sizeof set, &set);
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(null, 1);
  dup2(null, 2);
  execvp(command[0], command);
  _exit(127);
}

static void print(double wall) {
  struct rusage use;
  getrusage(RUSAGE_CHILDREN, &use);
  printf("%.0f %.0f\n", wall, (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 + use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

int main(int argc, char **argv) {
  const char *what = argc > 3 ? argv[1] : "";
  if (strcmp(what, "exit") == 0) {
    int status;
    double begin = now();
    waitpid(start(argv[2], argv + 3), &status, 0);
    print(now() - begin);
    return status == 0 ? 0 : 1;
  }
  if (strcmp(what, "response") == 0 && argc > 4) {
    struct timespec pause = {.tv_nsec = 100000};
    int status, fd, port = atoi(argv[3]);
    double begin = now();
    pid_t pid = start(argv[2], argv + 4);
    while ((fd = ask(port)) < 0) {
      if (now() - begin > 10e6 || waitpid(pid, &status, WNOHANG) == pid) return 1;
      nanosleep(&pause, NULL);
    }
    double wall = now() - begin;
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    print(wall);
    return 0;
  }
  if (strcmp(what, "hold") == 0) {
    int count = 0, wanted = atoi(argv[3]), port = atoi(argv[2]);
    while (count < wanted && ask(port) >= 0) count++;
    printf("%d\n", count);
    fflush(stdout);
    char end;
    return read(0, &end, 1) == 0 ? 0 : 1;
  }
  fprintf(stderr, "the first argument must be response, exit or hold\n");
  return 2;
}
