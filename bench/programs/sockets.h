/* The client's sockets: how each is opened, what it is owed, what it got. */
#ifndef BENCH_SOCKETS_H
#define BENCH_SOCKETS_H

#include "histogram.h"

enum { MOST_EVENTS = 1 << 22, MARKER = 31 };
enum state { UNUSED, CONNECTING, SHAKING, WAITING, LISTENING, CLOSED };

struct bytes {
    const char *at;
    uint32_t length;
};

struct connection {
    int fd;
    enum state state;
    uint32_t group;
    struct bytes request, says, ready, prefix, answer;
    uint64_t began, shaken, listening; /* ns, of the monotonic clock */
    char *rest; /* the beginning of a frame, or of the handshake's answer */
    uint32_t rest_length;
    uint8_t *seen; /* a bit for each event's number */
    uint32_t seen_bytes;
};

struct tally {
    struct histogram latency;
    uint64_t deliveries, repeated, astray, closed, bytes, reads;
};

extern struct connection *connections;
extern uint32_t connection_count, group_count;
extern uint32_t *members; /* of each group: how many listen */
extern uint32_t received[MOST_EVENTS]; /* by how many sockets */
extern struct tally tally;
extern int last_close_code;

void read_openings(const char *path);
void handle_read(struct connection *c);
void report_finished(uint32_t event); /* by the main program */
void connection_ended(struct connection *c, int status); /* likewise; status 0: it just closed */
void connection_listens(struct connection *c);
void send_all(struct connection *c, struct bytes what);

#endif
