/* SPDX-License-Identifier: MIT
 * A server of one connection at a time in a thread of the test: it plays one scene per request and
 * remembers what was asked. */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum after {
	KEEP,     /* wait for the next request on this connection */
	CLOSE,    /* end it */
	RESET,    /* end it with RST */
	HANG,     /* say no more until the client goes away */
	REPEAT,   /* say it again and again until the client goes away */
};

struct scene {
	const char *say; /* NULL: nothing */
	size_t len;      /* 0: of the string */
	enum after after;
	const char *again; /* REPEAT: what follows; NULL: the same */
};

enum { SERVER_REQUESTS = 64, SERVER_REQUEST_MAX = 4 << 20 };

struct http_server {
	int fd, stop_fd;
	unsigned short port;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t asked;
	const struct scene *scenes; /* the last one is played on and on */
	size_t scene_count;
	char *requests[SERVER_REQUESTS]; /* head and body, NUL-terminated */
	size_t lens[SERVER_REQUESTS], count, connections;
};

/* False: stop, or the peer is gone. */
static inline bool server_readable(struct http_server *s, int fd)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = s->stop_fd, .events = POLLIN } };

	return poll(p, 2, -1) > 0 && !p[1].revents;
}

static inline size_t server_body_len(const char *request)
{
	const char *p = strcasestr(request, "\r\nContent-Length:");

	return p ? strtoul(p + 17, NULL, 10) : 0;
}

/* A whole request into a new buffer; NULL: the peer or the test is gone. */
static inline char *server_read(struct http_server *s, int fd, size_t *ret_len)
{
	char *text = calloc(1, SERVER_REQUEST_MAX + 1);
	size_t len = 0, want = SERVER_REQUEST_MAX;

	while (len < want && server_readable(s, fd)) {
		ssize_t n = recv(fd, text + len, want - len, 0);
		char *end;

		if (n <= 0)
			break;
		len += (size_t)n;
		end = strstr(text, "\r\n\r\n");
		if (end)
			want = (size_t)(end + 4 - text) + server_body_len(text);
		if (len >= want) {
			*ret_len = len;
			return text;
		}
	}
	free(text);
	return NULL;
}

static inline bool server_say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static inline const struct scene *server_note(struct http_server *s, char *request, size_t len)
{
	const struct scene *scene;

	pthread_mutex_lock(&s->lock);
	scene = &s->scenes[s->count < s->scene_count ? s->count : s->scene_count - 1];
	if (s->count < SERVER_REQUESTS) {
		s->requests[s->count] = request;
		s->lens[s->count++] = len;
	} else {
		free(request);
	}
	pthread_cond_broadcast(&s->asked);
	pthread_mutex_unlock(&s->lock);
	return scene;
}

/* False: the connection is over. */
static inline bool server_play(struct http_server *s, int fd, const struct scene *scene)
{
	const char *say = scene->say ? scene->say : "";
	size_t len = scene->len ? scene->len : strlen(say);
	struct linger reset = { 1, 0 };
	char rest;

	if (!server_say(fd, say, len))
		return false;
	if (scene->after == REPEAT) {
		const char *again = scene->again ? scene->again : say;

		while (server_say(fd, again, strlen(again)))
			;
	}
	if (scene->after == HANG)
		while (server_readable(s, fd) && recv(fd, &rest, 1, 0) > 0)
			;
	if (scene->after == RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return scene->after == KEEP;
}

static inline void *server_thread(void *arg)
{
	struct http_server *s = arg;

	while (server_readable(s, s->fd)) {
		int fd = accept(s->fd, NULL, NULL);
		char *request;
		size_t len;

		pthread_mutex_lock(&s->lock);
		s->connections++;
		pthread_mutex_unlock(&s->lock);
		while ((request = server_read(s, fd, &len)))
			if (!server_play(s, fd, server_note(s, request, len)))
				break;
		close(fd);
	}
	return NULL;
}

static inline void server_start(struct http_server *s, const struct scene *scenes, size_t count)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	memset(s, 0, sizeof(*s));
	s->scenes = scenes;
	s->scene_count = count;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->asked, NULL);
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s->fd, 8) < 0 ||
	    getsockname(s->fd, (struct sockaddr *)&at, &len) < 0) {
		perror("Bail out! no server");
		exit(1);
	}
	s->port = ntohs(at.sin_port);
	pthread_create(&s->thread, NULL, server_thread, s);
}

/* Until that many requests have come. */
static inline void server_await(struct http_server *s, size_t count)
{
	pthread_mutex_lock(&s->lock);
	while (s->count < count)
		pthread_cond_wait(&s->asked, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* Ends the thread; what was asked can be read until server_free(). */
static inline void server_stop(struct http_server *s)
{
	static const uint64_t one = 1;

	if (write(s->stop_fd, &one, sizeof(one)) < 0)
		perror("eventfd");
	pthread_join(s->thread, NULL);
	close(s->fd);
	close(s->stop_fd);
}

static inline void server_free(struct http_server *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->requests[i]);
}

#endif
