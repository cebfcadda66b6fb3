/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"

#include "seen.h"
#include "state.h"
#include "topology.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define HEADER "xen-place ledger 1"
#define PATIENCE_MICROSECONDS (10 * G_USEC_PER_SEC)
#define LONGEST_NAP_MICROSECONDS 50000

static gboolean fail(GError **error, const char *path)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s",
                path, g_strerror(errno));
    return FALSE;
}

/*
 * The file is replaced when it is written, so another one has the lock.  Where many
 * guests start at once each waits for its turn, as long as some take theirs.
 */
static gboolean take_lock(Ledger *ledger, GError **error)
{
    g_autofree char *path = g_strconcat(ledger->path, ".lock", NULL);
    gint64 until = g_get_monotonic_time() + PATIENCE_MICROSECONDS;
    gulong nap = 1000;
    Seen seen = { 0 };

    ledger->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ledger->lock < 0) {
        return fail(error, path);
    }
    while (flock(ledger->lock, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return fail(error, path);
        }
        if (g_file_test(ledger->path, G_FILE_TEST_EXISTS) &&
            seen_changed(&seen, ledger->path)) {
            until = g_get_monotonic_time() + PATIENCE_MICROSECONDS;
        }
        if (g_get_monotonic_time() > until) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN,
                        "%s: another process does not give it back", path);
            return FALSE;
        }
        /* Those that wait must not take the CPUs from the one that has it. */
        nap = MIN(2 * nap, LONGEST_NAP_MICROSECONDS);
        g_usleep(nap);
    }
    return TRUE;
}

static gboolean parse(const char *line, Promise *p)
{
    g_auto(GStrv) word = g_strsplit(line, " ", -1);
    int pid, policy;

    if (g_strv_length(word) != 8 || !host_parse_set(word[7], &p->cpus) ||
        sscanf(line, "%" SCNu64 " %d %" SCNu64 " %" SCNu64 " %u %" SCNu64 " %d",
               &p->id, &pid, &p->born, &p->until, &p->vcpus, &p->memory,
               &policy) != 7 ||
        policy < PLACE_SHARED || policy >= PLACE_POLICIES) {
        return FALSE;
    }
    p->pid = pid;
    p->policy = policy;
    return TRUE;
}

static gboolean read_promises(Ledger *ledger, uint64_t now, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) line = NULL;

    if (!g_file_test(ledger->path, G_FILE_TEST_EXISTS)) {
        return TRUE;
    }
    if (!g_file_get_contents(ledger->path, &text, NULL, error)) {
        return FALSE;
    }
    line = g_strsplit(g_strchomp(text), "\n", -1);
    for (guint i = 0; line[i]; i++) {
        Promise p;

        if (i ? !parse(line[i], &p) : g_strcmp0(line[i], HEADER) != 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "%s is no ledger of xen-place: remove it",
                        ledger->path);
            return FALSE;
        }
        if (i && (p.pid ? thread_born(p.pid) == p.born : p.until > now)) {
            g_array_append_val(ledger->promises, p);
        }
    }
    return TRUE;
}

Ledger *ledger_open(const char *folder, uint64_t now, GError **error)
{
    Ledger *ledger = g_new0(Ledger, 1);

    ledger->lock = -1;
    ledger->path = g_build_filename(folder, LEDGER_FILE, NULL);
    ledger->promises = g_array_new(FALSE, TRUE, sizeof(Promise));
    if (g_mkdir_with_parents(folder, 0700)) {
        fail(error, folder);
    } else if (take_lock(ledger, error) && read_promises(ledger, now, error)) {
        return ledger;
    }
    ledger_close(ledger);
    return NULL;
}

gboolean ledger_write(const Ledger *ledger, GError **error)
{
    g_autoptr(GString) text = g_string_new(HEADER "\n");

    for (guint i = 0; i < ledger->promises->len; i++) {
        const Promise *p = &g_array_index(ledger->promises, Promise, i);
        char cpus[6000];

        place_set_text(&p->cpus, cpus, sizeof(cpus));
        g_string_append_printf(text,
                               "%" PRIu64 " %d %" PRIu64 " %" PRIu64
                               " %u %" PRIu64 " %d %s\n",
                               p->id, p->pid, p->born, p->until, p->vcpus,
                               p->memory, p->policy, cpus);
    }
    return g_file_set_contents(ledger->path, text->str, (gssize)text->len,
                               error);
}

void ledger_close(Ledger *ledger)
{
    if (ledger->lock >= 0) {
        close(ledger->lock);
    }
    g_array_unref(ledger->promises);
    g_free(ledger->path);
    g_free(ledger);
}

Promise *ledger_add(Ledger *ledger, const struct place_host *h,
                    const struct place_vm_config *c, uint32_t cage,
                    uint64_t until)
{
    struct place_cage_info info;
    Promise p = {
        .until = until,
        .vcpus = c->vcpus,
        .memory = c->memory,
        .policy = c->policy,
    };

    place_cage_info(h, cage, &info);
    p.cpus = info.cpus;
    for (guint i = 0; i < ledger->promises->len; i++) {
        p.id = MAX(p.id, g_array_index(ledger->promises, Promise, i).id + 1);
    }
    g_array_append_val(ledger->promises, p);
    return &g_array_index(ledger->promises, Promise, ledger->promises->len - 1);
}

/* In MiB; what a guest has touched is not free any more for anybody. */
static uint64_t resident(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm", pid);
    g_autofree char *text = NULL;
    uint64_t pages = 0;

    if (g_file_get_contents(path, &text, NULL, NULL) &&
        sscanf(text, "%*u %" SCNu64, &pages) != 1) {
        pages = 0;
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
}

void promise_config(const Promise *p, uint64_t now, struct place_vm_config *c)
{
    uint64_t has = p->pid ? MIN(resident(p->pid), p->memory) : 0;

    *c = (struct place_vm_config){
        .vcpus = p->vcpus,
        .memory = p->memory - has,
        .policy = p->policy,
        /* What is measured of the host has the demand of one that runs. */
        .declared = p->until > now ? 0 : 1,
        .home = &p->cpus,
    };
}
