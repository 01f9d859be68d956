/*
 * The floor: what answering a request costs at the very least. One epoll loop per worker, one read and one write per turn,
 * no parsing except counting requests by the end of their first line. A yardstick, not an HTTP server.
 * Usage: floor PORT WORKERS. Built and started by test/bench.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n"
static const char answer[] = HEAD "\r\nVrypt", last[] = HEAD "Connection: close\r\n\r\nVrypt";
static const char first_end[] = "HTTP/1.1\r\n", close_end[] = "Connection: close\r\n\r\n";
enum { ANSWER = sizeof answer - 1, LAST = sizeof last - 1, FIRST = sizeof first_end - 1, CLOSE = sizeof close_end - 1, MOST = 512 };

int main(int argc, char **argv) {
  static char in[65536], out[MOST * ANSWER];
  struct epoll_event events[256], event = {.events = EPOLLIN};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 8080)};
  int on = 1;
  for (int i = 0; i < MOST; i++) memcpy(out + i * ANSWER, answer, ANSWER);
  for (int workers = argc > 2 ? atoi(argv[2]) : 1; workers > 1; workers--)
    if (fork() == 0) break;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) return 1;
  event.data.fd = listener;
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          event.data.fd = fd;
          epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
        continue;
      }
      ssize_t length = read(fd, in, sizeof in);
      if (length <= 0) {
        close(fd);
        continue;
      }
      int requests = 0;
      for (char *at = in; (at = memmem(at, in + length - at, first_end, FIRST)) != NULL; at += FIRST) requests++;
      if (length > CLOSE && memcmp(in + length - CLOSE, close_end, CLOSE) == 0) {
        if (write(fd, last, LAST) < 0 || close(fd) != 0) return 1;
      } else if (requests > 0 && write(fd, out, (requests < MOST ? requests : MOST) * ANSWER) < 0) {
        close(fd);
      }
    }
  }
}
