/*
 * Clients of long-lived connections; small, so that they do not disturb. Built and started by test/bench.
 *   sockets echo PORT COUNT SECONDS    COUNT WebSockets, each sending 64 bytes as soon as the last ones came back; prints one line
 *                                      of JSON as wrk.lua does
 *   sockets hold PORT COUNT            opens COUNT WebSockets, prints how many, holds them until its standard input ends
 *   sockets events PORT COUNT SECONDS  COUNT readers of /events; prints readers, events, and the fewest and most that one got
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UPGRADE "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define EVENTS "GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
enum { MOST = 65536, PAYLOAD = 64, SENT = 6 + PAYLOAD, ECHOED = 2 + PAYLOAD, SLOTS = 100000 };
static struct { double since; int got; } clients[MOST];
static int slots[SLOTS];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* Blocking until the head of the answer is complete; -1 if there is none. */
static int ask(int port, const char *request) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval patience = {.tv_sec = 5};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  char in[4096];
  ssize_t length = 0, more;
  if (fd < 0 || fd >= MOST) return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 || send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) return -1;
  do {
    if ((more = recv(fd, in + length, sizeof in - length, 0)) <= 0) return -1;
    length += more;
  } while (memmem(in, length, "\r\n\r\n", 4) == NULL);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

static double percentile(double part, long total) {
  long seen = 0;
  for (int slot = 0; slot < SLOTS; slot++)
    if ((seen += slots[slot]) >= total * part) return slot;
  return SLOTS;
}

int main(int argc, char **argv) {
  const char *what = argc > 3 ? argv[1] : "";
  int isEcho = strcmp(what, "echo") == 0, isEvents = strcmp(what, "events") == 0;
  if ((!isEcho && !isEvents && strcmp(what, "hold") != 0) || (argc < 5 && (isEcho || isEvents))) {
    fprintf(stderr, "usage: sockets echo|events PORT COUNT SECONDS, or sockets hold PORT COUNT\n");
    return 2;
  }
  int port = atoi(argv[2]), wanted = atoi(argv[3]), count = 0, poll = epoll_create1(0);
  static int fds[MOST];
  while (count < wanted && (fds[count] = ask(port, isEvents ? EVENTS : UPGRADE)) >= 0) count++;
  if (!isEcho && !isEvents) {
    char end;
    printf("%d\n", count);
    fflush(stdout);
    return read(0, &end, 1) == 0 ? 0 : 1;
  }
  /* A masked frame of text; a mask of zeros is a mask. */
  unsigned char frame[SENT] = {0x81, 0x80 | PAYLOAD};
  memset(frame + 6, 'x', PAYLOAD);
  double begin = now(), end = begin + atof(argv[4]) * 1e6;
  for (int i = 0; i < count; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, fds[i], &event);
    clients[fds[i]].since = now();
    if (isEcho && write(fds[i], frame, SENT) != SENT) return 1;
  }
  static char in[65536];
  struct epoll_event events[256];
  long total = 0, errors = wanted - count;
  while (now() < end) {
    int ready = epoll_wait(poll, events, 256, 100);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      ssize_t length = read(fd, in, sizeof in);
      if (length <= 0) {
        errors++;
        close(fd);
      } else if (isEvents) {
        for (char *at = in; (at = memmem(at, in + length - at, "data:", 5)) != NULL; at += 5) clients[fd].got++, total++;
      } else if ((clients[fd].got += length) >= ECHOED) {
        double took = now() - clients[fd].since;
        slots[took < SLOTS ? (int)took : SLOTS - 1]++;
        total++;
        clients[fd].got = 0;
        clients[fd].since = now();
        if (write(fd, frame, SENT) != SENT) errors++;
      }
    }
  }
  if (isEcho) {
    printf("{\"requests\":%ld,\"micros\":%.0f,\"errors\":%ld,\"p50\":%.0f,\"p99\":%.0f}\n", total, now() - begin, errors,
           percentile(0.5, total), percentile(0.99, total));
    return 0;
  }
  int fewest = 1 << 30, most = 0;
  for (int i = 0; i < count; i++) {
    if (clients[fds[i]].got < fewest) fewest = clients[fds[i]].got;
    if (clients[fds[i]].got > most) most = clients[fds[i]].got;
  }
  printf("{\"readers\":%d,\"events\":%ld,\"fewest\":%d,\"most\":%d,\"errors\":%ld}\n", count, total, fewest, most, errors);
  return 0;
}
