/* Reading: the handshake's answer, then frames, then markers in them. */
#include "sockets.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_MOST = 1 << 18, REST_MOST = 1 << 20 };
enum { OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct connection *connections;
uint32_t connection_count, group_count;
uint32_t *members;
uint32_t received[MOST_EVENTS];
struct tally tally;
int last_close_code;

static int32_t group_of[MOST_EVENTS]; /* 0: nobody got it yet; else the group's number and one */
static char buffer[REST_MOST + READ_MOST];

/* One record for each socket: group and five lengths, 32 bits each, then as many bytes. */
void read_openings(const char *path) {
    struct stat about;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &about) < 0) fail(path);
    const char *file = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED) fail(path);
    close(fd);
    for (const char *at = file; at < file + about.st_size;) {
        uint32_t head[6];
        memcpy(head, at, sizeof head);
        at += sizeof head;
        connections = claimed(realloc(connections, (connection_count + 1) * sizeof *connections));
        struct connection *c = &connections[connection_count++];
        memset(c, 0, sizeof *c);
        c->fd = -1;
        c->group = head[0];
        struct bytes *fields[] = {&c->request, &c->says, &c->ready, &c->prefix, &c->answer};
        for (int i = 0; i < 5; i++) {
            *fields[i] = (struct bytes){at, head[i + 1]};
            at += head[i + 1];
        }
        if (c->group >= group_count) group_count = c->group + 1;
    }
    members = claimed(calloc(group_count, sizeof *members));
}

void send_all(struct connection *c, struct bytes what) {
    for (uint32_t sent = 0; sent < what.length;) {
        ssize_t n = send(c->fd, what.at + sent, what.length - sent, MSG_NOSIGNAL);
        if (n > 0) sent += (uint32_t)n;
        else if (errno != EAGAIN && errno != EINTR) return; /* the next read tells why */
    }
}

/* Client frames are masked; with a mask of zeros the payload stays as it is. */
static void send_pong(struct connection *c, const char *payload, uint32_t length) {
    char frame[6 + 125] = {(char)(0x80 | OP_PONG), (char)(0x80 | length)};
    memcpy(frame + 6, payload, length);
    send_all(c, (struct bytes){frame, 6 + length});
}

static int is_repeated(struct connection *c, uint32_t event) {
    if (event / 8 >= c->seen_bytes) {
        uint32_t bytes = (event / 8 + 64) * 2;
        c->seen = claimed(realloc(c->seen, bytes));
        memset(c->seen + c->seen_bytes, 0, bytes - c->seen_bytes);
        c->seen_bytes = bytes;
    }
    uint8_t bit = (uint8_t)(1u << (event & 7));
    int is_known = c->seen[event / 8] & bit;
    c->seen[event / 8] |= bit;
    return is_known;
}

static void deliver(struct connection *c, const char *marker, uint64_t at) {
    uint64_t sent = 0;
    uint32_t event = 0;
    for (int i = 2; i < 21; i++) sent = sent * 10 + (uint64_t)(marker[i] - '0');
    for (int i = 22; i < 30; i++) event = event * 10 + (uint32_t)(marker[i] - '0');
    if (event >= MOST_EVENTS) return;
    if (is_repeated(c, event)) {
        tally.repeated++;
        return;
    }
    if (group_of[event] == 0) group_of[event] = (int32_t)c->group + 1;
    else if (group_of[event] != (int32_t)c->group + 1) {
        tally.astray++;
        return;
    }
    tally.deliveries++;
    histogram_add(&tally.latency, at > sent ? at - sent : 0);
    if (++received[event] == members[c->group]) report_finished(event);
}

static void find_markers(struct connection *c, const char *at, uint32_t length, uint64_t when) {
    const char *end = at + length;
    while (end - at >= MARKER && (at = memchr(at, '@', (size_t)(end - at) - MARKER + 1)) != NULL) {
        if (at[1] == 't' && at[21] == '#' && at[30] == '@') {
            deliver(c, at, when);
            at += MARKER;
        } else {
            at++;
        }
    }
}

static int begins_with(const char *payload, uint32_t length, struct bytes with) {
    return with.length > 0 && length >= with.length && memcmp(payload, with.at, with.length) == 0;
}

static void handle_frame(struct connection *c, int opcode, const char *payload, uint32_t length, uint64_t at) {
    if (opcode == OP_PING) {
        if (length <= 125) send_pong(c, payload, length);
        return;
    }
    if (opcode == OP_CLOSE) {
        if (length >= 2) last_close_code = (unsigned char)payload[0] << 8 | (unsigned char)payload[1];
        connection_ended(c, 0);
        return;
    }
    if (opcode == OP_PONG) return;
    if (begins_with(payload, length, c->prefix)) send_all(c, c->answer);
    if (c->state == WAITING && memmem(payload, length, c->ready.at, c->ready.length) != NULL) {
        c->listening = at;
        connection_listens(c);
    }
    find_markers(c, payload, length, at);
}

/* Returns how many bytes it used up: whole frames alone. */
static uint32_t handle_frames(struct connection *c, const char *at, uint32_t length, uint64_t when) {
    uint32_t used = 0;
    while (length - used >= 2 && c->state != CLOSED) {
        const unsigned char *head = (const unsigned char *)at + used;
        uint64_t size = head[1] & 0x7f;
        uint32_t head_size = size == 127 ? 10 : size == 126 ? 4 : 2;
        if (length - used < head_size) break;
        if (head_size > 2) {
            size = 0;
            for (uint32_t i = 2; i < head_size; i++) size = size << 8 | head[i];
        }
        if (length - used - head_size < size) break;
        handle_frame(c, head[0] & 0x0f, at + used + head_size, (uint32_t)size, when);
        used += head_size + (uint32_t)size;
    }
    return used;
}

static uint32_t handle_answer(struct connection *c, const char *at, uint32_t length, uint64_t when) {
    const char *end = memmem(at, length, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    int status = length > 12 ? atoi(at + 9) : 0;
    if (status != 101) {
        connection_ended(c, status);
        return length;
    }
    c->shaken = when;
    c->state = WAITING;
    send_all(c, c->says);
    if (c->ready.length == 0) {
        c->listening = when;
        connection_listens(c);
    }
    return (uint32_t)(end + 4 - at);
}

void handle_read(struct connection *c) {
    uint32_t length = c->rest_length, used = 0;
    memcpy(buffer, c->rest, length);
    ssize_t n = recv(c->fd, buffer + length, READ_MOST, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        connection_ended(c, 0);
        return;
    }
    uint64_t when = now_ns();
    tally.reads++;
    tally.bytes += (uint64_t)n;
    length += (uint32_t)n;
    if (c->state == SHAKING) used = handle_answer(c, buffer, length, when);
    if (c->state == WAITING || c->state == LISTENING) used += handle_frames(c, buffer + used, length - used, when);
    if (c->state == CLOSED) return;
    if (length - used > REST_MOST) {
        fprintf(stderr, "a frame of more than %d bytes\n", REST_MOST);
        exit(1);
    }
    free(c->rest);
    c->rest = NULL;
    c->rest_length = length - used;
    if (c->rest_length > 0) c->rest = memcpy(claimed(malloc(c->rest_length)), buffer + used, c->rest_length);
}
