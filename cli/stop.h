#ifndef CLI_STOP_H
#define CLI_STOP_H

struct fault;

/*
 * INT, TERM and HUP while input is read: the first ends it in good order, so
 * that it can be told what is queued; the second ends the program at once.
 */

/** From here on they are watched; one that is ignored (nohup) stays so. */
void stop_watch(void);
/** Whether one came: 0, or -1 with ${fault} (FAULT_INTERRUPTED). */
int stop_check(struct fault *fault);
/** As poll(2) for reading; no signal is missed, however close it comes.  -1 with
 * EINTR where one came, now or before. */
int stop_poll(int fd, int timeout_ms);
/** Having told it: end as whoever typed ^C expects, so that a shell ends its
 * loop.  Returns if it was another, or none. */
void stop_end(void);

#endif
