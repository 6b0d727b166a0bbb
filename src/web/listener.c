/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "web/listener.h"

static int
refuse(const char *listen, const char *why)
{
	log_line(LOG_ERROR, "cannot listen on %s: %s", listen, why);
	return (-1);
}

/* A socket that nobody listens on is left from a process that was killed. */
static bool
stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat file;
	bool refused;

	if (fd < 0 || stat(address->sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) {
		if (fd >= 0)
			close(fd);
		return (false);
	}
	refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 && errno == ECONNREFUSED;
	close(fd);
	return (refused);
}

/* The mode holds from the first moment on. */
static int
unix_bind(int fd, const struct sockaddr_un *address, int mode)
{
	mode_t before = umask(0777 & ~(mode_t)mode);
	int bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	if (bound != 0 && errno == EADDRINUSE && stale(address)) {
		unlink(address->sun_path);
		bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	}
	umask(before);
	return (bound);
}

static const char *
bind_words(int error)
{
	return (error == EADDRINUSE ? "another server listens there, or the file is not a socket" : strerror(error));
}

static int
unix_open(struct listener *l, const char *listen_at, int mode)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = listen_at + sizeof("unix:") - 1;
	struct stat file;

	if (*path == '\0' || strlen(path) >= sizeof(address.sun_path))
		return (refuse(listen_at, "the path is empty or too long for a socket"));
	strcpy(address.sun_path, path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return (refuse(listen_at, strerror(errno)));
	if (unix_bind(l->fd, &address, mode) != 0 || stat(path, &file) != 0 || listen(l->fd, SOMAXCONN) != 0) {
		refuse(listen_at, bind_words(errno));
		close(l->fd);
		return (-1);
	}
	l->path = path;
	l->device = file.st_dev;
	l->inode = file.st_ino;
	return (0);
}

/* Splits HOST:PORT; brackets of an IPv6 address are taken off. */
static bool
host_port(const char *text, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (colon == NULL || colon[1] == '\0')
		return (false);
	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		return (false);
	}
	if (len >= size)
		return (false);
	memcpy(host, text, len);
	host[len] = '\0';
	*port = colon + 1;
	return (true);
}

static int
address_listen(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1, saved;

	if (fd < 0)
		return (-1);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
		return (fd);
	saved = errno;
	close(fd);
	errno = saved;
	return (-1);
}

/* The protocol knows no password: whoever can connect says who the client is. */
static void
reach_warn(int fd, const char *listen_at)
{
	struct sockaddr_storage bound = { .ss_family = AF_UNSPEC };
	const struct sockaddr_in *four = (const struct sockaddr_in *)&bound;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&bound;
	socklen_t len = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return;
	if (bound.ss_family == AF_INET ? ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET : IN6_IS_ADDR_LOOPBACK(&six->sin6_addr))
		return;
	log_line(LOG_WARN,
	    "%s can be reached from beyond this machine, and FastCGI knows no password: let nobody but the web server connect", listen_at);
}

static int
tcp_open(struct listener *l, const char *listen_at)
{
	struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found, *one;
	const char *port;
	char host[256];
	int status;

	if (!host_port(listen_at, host, sizeof(host), &port))
		return (refuse(listen_at, "it is neither unix:PATH nor HOST:PORT nor [IPv6]:PORT"));
	status = getaddrinfo(*host != '\0' ? host : NULL, port, &wanted, &found);
	if (status != 0)
		return (refuse(listen_at, gai_strerror(status)));
	l->fd = -1;
	for (one = found; one != NULL && l->fd < 0; one = one->ai_next)
		l->fd = address_listen(one);
	freeaddrinfo(found);
	if (l->fd < 0)
		return (refuse(listen_at, errno == EADDRINUSE ? "another server listens there" : strerror(errno)));
	reach_warn(l->fd, listen_at);
	return (0);
}

int
listener_open(struct listener *l, const char *listen_at, int mode)
{
	memset(l, 0, sizeof(*l));
	return (str_starts(listen_at, "unix:") ? unix_open(l, listen_at, mode) : tcp_open(l, listen_at));
}

void
listener_close(struct listener *l)
{
	struct stat file;

	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	if (l->path != NULL && stat(l->path, &file) == 0 && file.st_dev == l->device && file.st_ino == l->inode)
		unlink(l->path);
}
