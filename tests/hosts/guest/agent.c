/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The test agent inside an emulated host: runs commands for the test program at the other end of a
 * port, several at a time, as any user, and hands back both output streams and the exit status.
 * Owns the port and the processes it started. It decides nothing and keeps nothing: what to run is
 * the other end's business. The port is the serial one that NESTVIRT_PORT names, else the
 * virtio-serial port of the name below.
 *
 * A frame is a Header (little endian) and `length` bytes. To the agent: 'R'un (user, NUL, shell
 * command), 'I'nput, 'E'nd of input, 'K'ill (a byte: the signal, sent to the process group),
 * 'H'ello. From the agent: 'H'ello, 'O'utput, 'S'tderr, e'X'it (the wait status, four bytes). A job
 * ends when its process does: what the process left in the pipes is sent, later output of its
 * children is not. */

#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/serial.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PORT_NAME "org.nestvirt.test"
#define JOBS_MAX 64
#define CHUNK 32768
#define FRAME_MAX (1024 * 1024)

typedef struct Header {
        uint32_t length;
        uint32_t id;
        uint8_t type;
} __attribute__((packed)) Header;

typedef struct Job {
        bool used;
        uint32_t id;
        pid_t pid;
        int pidfd, in, out, err; /* -1 when closed */
        bool input_ended;
        char *input; /* what the process has not read yet */
        size_t input_size;
} Job;

static Job jobs[JOBS_MAX];
static int port = -1;

static void die(const char *what) {
        fprintf(stderr, "nestvirt-test-agent: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static void port_write(const void *data, size_t size) {
        for (const char *p = data; size > 0;) {
                ssize_t n = write(port, p, size);
                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        die("writing to the port");
                if (n > 0) {
                        p += n;
                        size -= (size_t) n;
                }
        }
}

static void port_read(void *data, size_t size) {
        for (char *p = data; size > 0;) {
                ssize_t n = read(port, p, size);
                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        die("reading from the port");
                if (n == 0) /* nobody at the other end: wait without spinning */
                        usleep(20 * 1000);
                if (n > 0) {
                        p += n;
                        size -= (size_t) n;
                }
        }
}

static void frame_send(uint32_t id, char type, const void *data, size_t size) {
        char frame[sizeof(Header) + CHUNK];
        Header header = {.length = (uint32_t) size, .id = id, .type = (uint8_t) type};

        memcpy(frame, &header, sizeof(header));
        if (size > 0)
                memcpy(frame + sizeof(header), data, size);
        port_write(frame, sizeof(header) + size);
}

static void fd_close(int *fd) {
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

/* Sends one chunk of what can be read; false when there is nothing now, or never again. */
static bool stream_forward(Job *job, int *fd, char type) {
        char data[CHUNK];
        ssize_t n;

        if (*fd < 0)
                return false;

        n = read(*fd, data, sizeof(data));
        if (n > 0) {
                frame_send(job->id, type, data, (size_t) n);
                return true;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
                fd_close(fd);
        return false;
}

static void job_free(Job *job) {
        fd_close(&job->pidfd);
        fd_close(&job->in);
        fd_close(&job->out);
        fd_close(&job->err);
        free(job->input);
        *job = (Job) {};
}

static void job_feed(Job *job) {
        while (job->in >= 0 && job->input_size > 0) {
                ssize_t n = write(job->in, job->input, job->input_size);
                if (n < 0) {
                        if (errno != EAGAIN && errno != EINTR)
                                fd_close(&job->in); /* the process reads no more */
                        return;
                }
                job->input_size -= (size_t) n;
                memmove(job->input, job->input + n, job->input_size);
        }
        if (job->input_ended)
                fd_close(&job->in);
}

static void job_finish(Job *job) {
        int status = 0;

        while (waitpid(job->pid, &status, 0) < 0)
                if (errno != EINTR)
                        die("waiting for a command");

        while (stream_forward(job, &job->out, 'O'))
                ;
        while (stream_forward(job, &job->err, 'S'))
                ;
        frame_send(job->id, 'X', &(uint32_t) {(uint32_t) status}, sizeof(uint32_t));
        job_free(job);
}

static void command_exec(const char *user, const char *command) {
        const struct passwd *pw = getpwnam(user);
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);

        if (!pw) {
                fprintf(stderr, "nestvirt-test-agent: there is no user %s\n", user);
                return;
        }

        clearenv();
        setenv("HOME", pw->pw_dir, 1);
        setenv("LANG", "C.UTF-8", 1);
        setenv("LOGNAME", user, 1);
        setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
        setenv("SHELL", pw->pw_shell, 1);
        setenv("USER", user, 1);

        if (initgroups(user, pw->pw_gid) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
            setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0 || chdir(pw->pw_dir) < 0) {
                perror("nestvirt-test-agent: becoming the user");
                return;
        }

        execl("/bin/sh", "sh", "-c", command, NULL);
        perror("nestvirt-test-agent: /bin/sh");
}

static void pipe_make(int ends[2]) {
        if (pipe2(ends, O_CLOEXEC) < 0)
                die("making a pipe");
}

static void job_start(Job *job, uint32_t id, const char *user, const char *command) {
        int in[2], out[2], err[2];

        pipe_make(in);
        pipe_make(out);
        pipe_make(err);

        pid_t pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0) {
                setsid();
                dup2(in[0], STDIN_FILENO);
                dup2(out[1], STDOUT_FILENO);
                dup2(err[1], STDERR_FILENO);
                command_exec(user, command);
                _exit(127);
        }

        close(in[0]);
        close(out[1]);
        close(err[1]);
        *job = (Job) {.used = true, .id = id, .pid = pid, .in = in[1], .out = out[0], .err = err[0]};
        fcntl(job->in, F_SETFL, O_NONBLOCK);
        fcntl(job->out, F_SETFL, O_NONBLOCK);
        fcntl(job->err, F_SETFL, O_NONBLOCK);
        job->pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (job->pidfd < 0)
                die("pidfd_open");
}

static Job *job_find(bool used, uint32_t id) {
        for (Job *job = jobs; job < jobs + JOBS_MAX; job++)
                if (job->used == used && (!used || job->id == id))
                        return job;
        return NULL;
}

static void run_handle(uint32_t id, const char *data, size_t size) {
        const char *end = memchr(data, '\0', size);
        Job *job = job_find(false, 0);

        if (job && end) {
                job_start(job, id, data, end + 1); /* the frame's buffer ends with a NUL of its own */
                return;
        }

        const char *message =
                        end ? "nestvirt-test-agent: too many commands at once\n" : "nestvirt-test-agent: bad frame\n";
        frame_send(id, 'S', message, strlen(message));
        frame_send(id, 'X', &(uint32_t) {126u << 8}, sizeof(uint32_t));
}

static void frame_handle(const Header *header, char *data) {
        Job *job = job_find(true, header->id);

        switch (header->type) {
        case 'H':
                frame_send(0, 'H', NULL, 0);
                break;
        case 'R':
                run_handle(header->id, data, header->length);
                break;
        case 'I':
                if (!job || job->in < 0)
                        break;
                job->input = realloc(job->input, job->input_size + header->length + 1);
                if (!job->input)
                        die("keeping a command's input");
                memcpy(job->input + job->input_size, data, header->length);
                job->input_size += header->length;
                job_feed(job);
                break;
        case 'E':
                if (job) {
                        job->input_ended = true;
                        job_feed(job);
                }
                break;
        case 'K':
                /* The group is there once the child has called setsid(). */
                if (job && header->length == 1 && kill(-job->pid, (unsigned char) data[0]) < 0)
                        kill(job->pid, (unsigned char) data[0]);
                break;
        }
}

static void frame_receive(void) {
        static char data[FRAME_MAX + 1];
        Header header;

        port_read(&header, sizeof(header));
        if (header.length > FRAME_MAX) {
                errno = EMSGSIZE;
                die("reading a frame");
        }
        port_read(data, header.length);
        data[header.length] = '\0';
        frame_handle(&header, data);
}

static void loop_once(void) {
        struct pollfd fds[1 + 4 * JOBS_MAX];
        Job *owners[1 + 4 * JOBS_MAX];
        size_t n = 0;

        fds[n] = (struct pollfd) {.fd = port, .events = POLLIN};
        owners[n++] = NULL;
        for (Job *job = jobs; job < jobs + JOBS_MAX; job++) {
                if (!job->used)
                        continue;
                const struct pollfd wanted[] = {
                                {.fd = job->out, .events = POLLIN},
                                {.fd = job->err, .events = POLLIN},
                                {.fd = job->input_size > 0 ? job->in : -1, .events = POLLOUT},
                                {.fd = job->pidfd,
                                 .events = POLLIN}, /* the last: what was written before comes first */
                };
                for (size_t i = 0; i < 4; i++) {
                        owners[n] = job;
                        fds[n++] = wanted[i];
                }
        }

        if (poll(fds, n, -1) < 0) {
                if (errno != EINTR)
                        die("poll");
                return;
        }

        for (size_t i = 1; i < n; i += 4) {
                if (fds[i].revents)
                        stream_forward(owners[i], &owners[i]->out, 'O');
                if (fds[i + 1].revents)
                        stream_forward(owners[i], &owners[i]->err, 'S');
                if (fds[i + 2].revents)
                        job_feed(owners[i]);
                if (fds[i + 3].revents)
                        job_finish(owners[i]);
        }
        if (fds[0].revents & POLLIN)
                frame_receive();
        else if (fds[0].revents) /* hung up: nobody at the other end, and poll would return at once again */
                usleep(20 * 1000);
}

/* The port's device node has a number for a name; which one is ours stands in sysfs. */
static bool port_open(void) {
        DIR *dir = opendir("/sys/class/virtio-ports");
        bool found = false;

        for (const struct dirent *entry; dir && !found && (entry = readdir(dir));) {
                char path[512], name[64] = "";
                FILE *file;

                snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
                file = fopen(path, "re");
                if (!file)
                        continue;
                found = fgets(name, sizeof(name), file) && strcmp(name, PORT_NAME "\n") == 0;
                fclose(file);
                if (found) {
                        snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
                        port = open(path, O_RDWR | O_CLOEXEC);
                }
        }
        if (dir)
                closedir(dir);
        return found && port >= 0;
}

static void serial_open_raw(const char *path) {
        struct termios settings;

        port = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (port < 0)
                die("opening the serial port");
        if (tcgetattr(port, &settings) < 0)
                die("reading the serial port's settings");
        cfmakeraw(&settings);
        cfsetspeed(&settings, B115200);
        settings.c_cflag |= CLOCAL;
        if (tcsetattr(port, TCSAFLUSH, &settings) < 0)
                die("changing the serial port's settings");
}

/* A UART is used without its FIFO: Bochs fills that at the speed of the line, whether anybody reads
 * or not, and drops what finds no room; without one it waits for each byte to be taken. The port is
 * dead until it is opened anew. */
static void serial_open(const char *path) {
        struct serial_struct uart;

        serial_open_raw(path);
        if (ioctl(port, TIOCGSERIAL, &uart) < 0)
                die("reading the UART's settings");
        uart.type = PORT_16450;
        if (ioctl(port, TIOCSSERIAL, &uart) < 0)
                die("changing the UART's settings");
        close(port);
        serial_open_raw(path);
}

int main(void) {
        const char *serial = getenv("NESTVIRT_PORT");

        signal(SIGPIPE, SIG_IGN);
        if (serial)
                serial_open(serial);

        /* The device may be probed a moment after the driver was loaded. */
        for (int i = 0; !serial && !port_open(); i++) {
                if (i == 500)
                        die("opening the port " PORT_NAME);
                usleep(10 * 1000);
        }

        frame_send(0, 'H', NULL, 0);
        for (;;)
                loop_once();
}
