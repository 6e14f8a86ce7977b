/*
 * The load client: one thread, one epoll. Opens WebSockets, finds markers in what they are sent, and tells the driver
 * of every event that all sockets of its group have got.
 *
 *     load PORT OPENINGS DESCRIPTOR
 *                            commands on standard input, one answer a line, in JSON, on standard output;
 *                            numbers of finished events, 32 bits each, on the descriptor
 *
 *     open COUNT AT_ONCE     open so many more, at most so many handshakes at a time; answers when all have ended
 *     mark                   begin to count anew
 *     report                 what was counted since the mark
 *     received FIRST LAST    by how many sockets each of these events was received, LAST excluded
 */
#include "sockets.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, COMMANDS = 4096, MOST_STATUSES = 600 };
static const uint64_t PATIENCE = 120ull * 1000000000ull; /* for one handshake */

static int epoll, port, finished_fd;
static uint32_t next, until, at_once, under_way, batch_first;
static uint64_t batch_began, mark_wall;
static double mark_cpu;
static uint64_t refused[MOST_STATUSES];
static uint32_t finished[EVENTS * 64], finished_count;
static int is_opening;

static void flush_finished(void) {
    const char *at = (const char *)finished;
    for (size_t left = finished_count * sizeof *finished; left > 0;) {
        ssize_t n = write(finished_fd, at, left);
        if (n < 0 && errno != EINTR) fail("telling of finished events");
        if (n > 0) at += n, left -= (size_t)n;
    }
    finished_count = 0;
}

void report_finished(uint32_t event) {
    if (finished_count == sizeof finished / sizeof *finished) flush_finished();
    finished[finished_count++] = event;
}

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event wanted = {.events = events, .data.u32 = (uint32_t)(c - connections)};
    if (epoll_ctl(epoll, operation, c->fd, &wanted) < 0) fail("epoll_ctl");
}

void connection_listens(struct connection *c) {
    c->state = LISTENING;
    members[c->group]++;
    under_way--;
}

void connection_ended(struct connection *c, int status) {
    if (c->state == LISTENING) {
        tally.closed++;
    } else {
        refused[status >= 0 && status < MOST_STATUSES ? status : 0]++;
        under_way--;
    }
    c->state = CLOSED;
    close(c->fd);
    free(c->rest);
    c->rest = NULL;
    c->rest_length = 0;
}

static void begin(struct connection *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) fail("socket (is the limit of open files high enough?)");
    c->began = now_ns();
    c->state = CONNECTING;
    under_way++;
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
        connection_ended(c, 0);
        return;
    }
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, double *ms, uint32_t count) {
    qsort(ms, count, sizeof *ms, by_size);
    double at[3] = {0.5, 0.95, 0.99};
    const char *called[3] = {"p50", "p95", "p99"};
    printf(", \"%s\": {", name);
    for (int i = 0; i < 3; i++) printf("\"%s\": %.3f, ", called[i], count ? ms[(uint32_t)(at[i] * (count - 1))] : 0.0);
    printf("\"most\": %.3f}", count ? ms[count - 1] : 0.0);
}

static void answer_open(void) {
    uint32_t open = 0;
    double *shaken = claimed(malloc((until - batch_first + 1) * sizeof *shaken));
    double *listening = claimed(malloc((until - batch_first + 1) * sizeof *listening));
    for (struct connection *c = &connections[batch_first]; c < &connections[until]; c++) {
        if (c->listening == 0) continue;
        shaken[open] = (double)(c->shaken - c->began) / 1e6;
        listening[open++] = (double)(c->listening - c->began) / 1e6;
    }
    printf("{\"open\": %u, \"refused\": %u, \"seconds\": %.6f, \"statuses\": {", open, until - batch_first - open,
           (double)(now_ns() - batch_began) / 1e9);
    const char *comma = "";
    for (int status = 0; status < MOST_STATUSES; status++) {
        if (refused[status] == 0) continue;
        printf("%s\"%d\": %lu", comma, status, refused[status]);
        comma = ", ";
    }
    printf("}");
    print_times("shaken_ms", shaken, open);
    print_times("listening_ms", listening, open);
    printf("}\n");
    fflush(stdout);
    free(shaken);
    free(listening);
    is_opening = 0;
}

static void go_on_opening(void) {
    while (next < until && under_way < at_once) begin(&connections[next++]);
    if (under_way > 0) { /* rarely anything to do, so not at every turn */
        static uint64_t looked;
        if (now_ns() - looked > 1000000000ull) {
            looked = now_ns();
            for (struct connection *c = &connections[batch_first]; c < &connections[next]; c++)
                if (c->state != LISTENING && c->state != CLOSED && looked - c->began > PATIENCE) connection_ended(c, 0);
        }
    }
    if (next == until && under_way == 0) answer_open();
}

static double cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void mark(void) {
    memset(&tally, 0, sizeof tally);
    mark_wall = now_ns();
    mark_cpu = cpu_seconds();
    printf("{}\n");
}

static void report(void) {
    const struct histogram *h = &tally.latency;
    printf("{\"deliveries\": %lu, \"repeated\": %lu, \"astray\": %lu, \"closed\": %lu, \"close_code\": %d, "
           "\"bytes\": %lu, \"reads\": %lu, \"seconds\": %.6f, \"cpu_seconds\": %.6f, "
           "\"latency_ms\": {\"p50\": %.4f, \"p95\": %.4f, \"p99\": %.4f, \"most\": %.4f}}\n",
           tally.deliveries, tally.repeated, tally.astray, tally.closed, last_close_code, tally.bytes, tally.reads,
           (double)(now_ns() - mark_wall) / 1e9, cpu_seconds() - mark_cpu, histogram_ms(h, 0.5),
           histogram_ms(h, 0.95), histogram_ms(h, 0.99), (double)h->largest / 1e6);
}

static void tell_received(uint32_t first, uint32_t last) {
    printf("[");
    for (uint32_t event = first; event < last && event < MOST_EVENTS; event++)
        printf("%s%u", event == first ? "" : ",", received[event]);
    printf("]\n");
}

static void obey(const char *line) {
    uint32_t a, b;
    if (sscanf(line, "open %u %u", &a, &b) == 2 && next + a <= connection_count && b > 0) {
        batch_first = next, until = next + a, at_once = b, is_opening = 1, batch_began = now_ns();
        memset(refused, 0, sizeof refused);
    } else if (sscanf(line, "received %u %u", &a, &b) == 2) {
        tell_received(a, b);
    } else if (strcmp(line, "mark") == 0) {
        mark();
    } else if (strcmp(line, "report") == 0) {
        report();
    } else {
        fprintf(stderr, "the command is \"%s\"; see the beginning of load.c\n", line);
        exit(1);
    }
    fflush(stdout);
}

static void read_commands(void) {
    static char text[COMMANDS];
    static size_t length;
    ssize_t n = read(STDIN_FILENO, text + length, sizeof text - length - 1);
    if (n <= 0) exit(0); /* the driver has gone, or has had enough */
    length += (size_t)n;
    text[length] = 0;
    for (char *end; (end = strchr(text, '\n')) != NULL;) {
        *end = 0;
        obey(text);
        length -= (size_t)(end + 1 - text);
        memmove(text, end + 1, length + 1);
    }
}

static void handle(struct connection *c, uint32_t events) {
    if (c->state == CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
        c->state = SHAKING;
        send_all(c, c->request);
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
    } else if (c->state != CLOSED && c->state != CONNECTING) {
        handle_read(c);
    }
}

int main(int count, char **arguments) {
    if (count != 4) return fprintf(stderr, "usage: load PORT OPENINGS DESCRIPTOR\n"), 2;
    port = atoi(arguments[1]);
    finished_fd = atoi(arguments[3]);
    read_openings(arguments[2]);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event commands = {.events = EPOLLIN, .data.u32 = UINT32_MAX}, ready[EVENTS];
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands) < 0) fail("epoll");
    for (;;) {
        int n = epoll_wait(epoll, ready, EVENTS, is_opening ? 100 : -1);
        if (n < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (ready[i].data.u32 == UINT32_MAX) read_commands();
            else handle(&connections[ready[i].data.u32], ready[i].events);
        }
        if (finished_count > 0) flush_finished();
        if (is_opening) go_on_opening();
    }
}
