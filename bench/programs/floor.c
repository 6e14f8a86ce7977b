/*
 * The floor: what the kernel asks for one send() of a ready-made frame to each socket of a group, and nothing more.
 *
 *     floor PORT     accepts WebSockets on 127.0.0.1; the path is the number of the group. Events come on standard
 *                    input: group and length, 32 bits each, then the frame.
 */
#include "common.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, LARGEST = 1 << 20, BACKLOG = 4096, MOST_GROUPS = 1 << 16 };

/* The load client always sends the key of RFC 6455's example, whose answer is known. */
static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct group {
    int *sockets;
    uint32_t count;
};
static struct group groups[MOST_GROUPS];
static char input[LARGEST + 8];
static size_t input_length;

static void send_whole(int fd, const char *at, size_t length) {
    while (length > 0) {
        ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
        if (n > 0) at += n, length -= (size_t)n;
        else if (errno == EAGAIN) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR) return; /* it has gone */
    }
}

static void read_events(void) {
    ssize_t n = read(STDIN_FILENO, input + input_length, sizeof input - input_length);
    if (n <= 0) exit(0);
    input_length += (size_t)n;
    size_t used = 0;
    while (input_length - used >= 8) {
        uint32_t head[2];
        memcpy(head, input + used, sizeof head);
        if (head[0] >= MOST_GROUPS || head[1] > LARGEST) fail("an event that is none");
        if (input_length - used - 8 < head[1]) break;
        const struct group *g = &groups[head[0]];
        for (uint32_t i = 0; i < g->count; i++) send_whole(g->sockets[i], input + used + 8, head[1]);
        used += 8 + head[1];
    }
    memmove(input, input + used, input_length -= used);
}

/* A request comes in one piece on the loopback. What a client says later is not looked at. */
static void read_socket(int fd) {
    char request[16384];
    ssize_t n = recv(fd, request, sizeof request - 1, 0);
    if (n <= 0) {
        close(fd);
        return;
    }
    request[n] = 0;
    uint32_t number;
    if (sscanf(request, "GET /%u ", &number) != 1 || number >= MOST_GROUPS) return;
    struct group *g = &groups[number];
    g->sockets = claimed(realloc(g->sockets, (g->count + 1) * sizeof *g->sockets));
    g->sockets[g->count++] = fd;
    send_whole(fd, ANSWER, sizeof ANSWER - 1);
}

static void watch(int epoll, int fd) {
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) < 0) fail("epoll_ctl");
}

static void accept_all(int epoll, int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(epoll, fd);
    }
}

int main(int count, char **arguments) {
    if (count != 2) return fprintf(stderr, "usage: floor PORT\n"), 2;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int epoll = epoll_create1(EPOLL_CLOEXEC), yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, BACKLOG) < 0) fail("listening");
    watch(epoll, listener);
    watch(epoll, STDIN_FILENO);
    struct epoll_event ready[EVENTS];
    for (;;) {
        int n = epoll_wait(epoll, ready, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == listener) accept_all(epoll, listener);
            else if (ready[i].data.fd == STDIN_FILENO) read_events();
            else read_socket(ready[i].data.fd);
        }
    }
}
