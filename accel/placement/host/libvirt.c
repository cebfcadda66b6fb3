/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libvirt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBVIRT

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define MAP_LENGTH (PLACE_MAX_CPUS / 8)

struct Libvirt {
    virConnectPtr connection;
    char *uri;
    gboolean lost; /* it has been said that it does not answer */
};

static void be_quiet(void *opaque, virErrorPtr error)
{
    (void)opaque;
    (void)error;
}

Libvirt *libvirt_open(const char *uri, GError **error)
{
    Libvirt *l;
    virConnectPtr connection;

    virSetErrorFunc(NULL, be_quiet);
    connection = virConnectOpen(uri);
    if (!connection) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "--libvirt %s: %s", uri, virGetLastErrorMessage());
        return NULL;
    }
    l = g_new0(Libvirt, 1);
    l->connection = connection;
    l->uri = g_strdup(uri);
    return l;
}

void libvirt_close(Libvirt *l)
{
    if (l->connection) {
        virConnectClose(l->connection);
    }
    g_free(l->uri);
    g_free(l);
}

void libvirt_domain_free(LibvirtDomain *d)
{
    virDomainFree(d->domain);
    g_free(d->name);
    g_free(d);
}

/* Whether this is a QEMU's command line, with its arguments' ends; its "-uuid". */
static const char *uuid_of(const char *line, gsize length)
{
    for (const char *at = line; at < line + length; at += strlen(at) + 1) {
        if (!strcmp(at, "-uuid")) {
            at += sizeof("-uuid");
            return at < line + length ? at : NULL;
        }
    }
    return NULL;
}

/* By their UUIDs, the processes that have one in their command line. */
static GHashTable *find_processes(void)
{
    GHashTable *all =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path =
            g_build_filename("/proc", name, "cmdline", NULL);
        g_autofree char *line = NULL;
        gsize length;
        const char *uuid;

        if (!g_ascii_isdigit(*name) ||
            !g_file_get_contents(path, &line, &length, NULL)) {
            continue;
        }
        uuid = uuid_of(line, length);
        if (uuid) {
            g_hash_table_replace(
                all, g_strdup(uuid),
                GINT_TO_POINTER((int)g_ascii_strtoull(name, NULL, 10)));
        }
    }
    return all;
}

GPtrArray *libvirt_domains(Libvirt *l)
{
    g_autoptr(GHashTable) processes = NULL;
    virDomainPtr *domains = NULL;
    GPtrArray *found;
    int n;

    if (!l->connection) {
        l->connection = virConnectOpen(l->uri);
    }
    n = l->connection ?
            virConnectListAllDomains(l->connection, &domains,
                                     VIR_CONNECT_LIST_DOMAINS_ACTIVE) :
            -1;
    if (n < 0) {
        if (!l->lost) {
            fprintf(stderr,
                    "xen-place: %s does not answer: its domains stay "
                    "as they are\n",
                    l->uri);
        }
        l->lost = TRUE;
        if (l->connection) {
            virConnectClose(l->connection);
        }
        l->connection = NULL;
        return NULL;
    }
    l->lost = FALSE;
    found = g_ptr_array_new();
    processes = n ? find_processes() : NULL;
    for (int i = 0; i < n; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];
        LibvirtDomain *d;
        gpointer pid = virDomainGetUUIDString(domains[i], uuid) ?
                           NULL :
                           g_hash_table_lookup(processes, uuid);

        if (!pid) {
            virDomainFree(domains[i]);
            continue;
        }
        d = g_new0(LibvirtDomain, 1);
        d->domain = domains[i];
        d->name = g_strdup(virDomainGetName(domains[i]));
        d->pid = GPOINTER_TO_INT(pid);
        d->memory = virDomainGetMaxMemory(domains[i]) >> 10;
        g_ptr_array_add(found, d);
    }
    free(domains);
    return found;
}

/* libvirt's QEMUs have names for their threads: "CPU 0/KVM", "IO iothread1". */
static gboolean parse_thread(const char *name, QmpThread *thread)
{
    char end;

    if (sscanf(name, "CPU %u/%c", &thread->index, &end) == 2) {
        thread->is_vcpu = TRUE;
        return TRUE;
    }
    thread->is_vcpu = FALSE;
    return sscanf(name, "IO iothread%u", &thread->index) == 1;
}

GArray *libvirt_threads(const LibvirtDomain *d)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", d->pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    QmpThread main_thread = { .tid = d->pid };
    GArray *threads;
    const char *name;

    if (!dir) {
        return NULL;
    }
    threads = g_array_new(FALSE, FALSE, sizeof(QmpThread));
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *comm = g_build_filename(path, name, "comm", NULL);
        g_autofree char *text = NULL;
        QmpThread t = { .tid = (pid_t)g_ascii_strtoull(name, NULL, 10) };

        if (g_file_get_contents(comm, &text, NULL, NULL) &&
            parse_thread(text, &t)) {
            g_array_append_val(threads, t);
        }
    }
    g_array_append_val(threads, main_thread);
    return threads;
}

static gboolean has(const unsigned char *map, guint cpu)
{
    return map[cpu / 8] >> (cpu % 8) & 1;
}

void libvirt_limit(const LibvirtDomain *d, const QmpThread *thread,
                   struct place_set *set)
{
    g_autofree unsigned char *maps =
        g_malloc0((gsize)MAP_LENGTH * (thread->index + 1));
    const unsigned char *map = maps;
    struct place_set limited = *set;
    gboolean any = FALSE;
    int n = -1;

    if (thread->is_vcpu) {
        n = virDomainGetVcpuPinInfo(d->domain, (int)thread->index + 1, maps,
                                    MAP_LENGTH, VIR_DOMAIN_AFFECT_CONFIG);
        if (n <= (int)thread->index) {
            return;
        }
        map = maps + (gsize)MAP_LENGTH * thread->index;
    } else if (!thread->index) {
        n = virDomainGetEmulatorPinInfo(d->domain, maps, MAP_LENGTH,
                                        VIR_DOMAIN_AFFECT_CONFIG);
    }
    if (n <= 0) {
        return;
    }
    for (guint cpu = 0; cpu < PLACE_MAX_CPUS; cpu++) {
        if (!has(map, cpu)) {
            limited.word[cpu / 64] &= ~(UINT64_C(1) << (cpu % 64));
        }
        any |= limited.word[cpu / 64] >> (cpu % 64) & 1;
    }
    if (any) {
        *set = limited;
    }
}

gboolean libvirt_pin(const LibvirtDomain *d, const QmpThread *thread,
                     const struct place_set *set)
{
    unsigned char map[MAP_LENGTH] = { 0 };
    int length = 0;

    for (guint cpu = 0; cpu < PLACE_MAX_CPUS; cpu++) {
        if (set->word[cpu / 64] >> (cpu % 64) & 1) {
            map[cpu / 8] |= (unsigned char)(1 << (cpu % 8));
            length = (int)cpu / 8 + 1;
        }
    }
    if (thread->is_vcpu) {
        return !virDomainPinVcpuFlags(d->domain, thread->index, map, length,
                                      VIR_DOMAIN_AFFECT_LIVE);
    }
    if (thread->index) {
        return !virDomainPinIOThread(d->domain, thread->index, map, length,
                                     VIR_DOMAIN_AFFECT_LIVE);
    }
    return !virDomainPinEmulator(d->domain, map, length,
                                 VIR_DOMAIN_AFFECT_LIVE);
}

#else

Libvirt *libvirt_open(const char *uri, GError **error)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSYS,
                "--libvirt %s: built without libvirt: install libvirt-dev, and "
                "build xen-place again",
                uri);
    return NULL;
}

/* There is no struct Libvirt to call these with. */

void libvirt_close(Libvirt *l)
{
    (void)l;
    g_assert_not_reached();
}

GPtrArray *libvirt_domains(Libvirt *l)
{
    (void)l;
    g_assert_not_reached();
}

void libvirt_domain_free(LibvirtDomain *d)
{
    (void)d;
    g_assert_not_reached();
}

GArray *libvirt_threads(const LibvirtDomain *d)
{
    (void)d;
    g_assert_not_reached();
}

void libvirt_limit(const LibvirtDomain *d, const QmpThread *thread,
                   struct place_set *set)
{
    (void)d, (void)thread, (void)set;
    g_assert_not_reached();
}

gboolean libvirt_pin(const LibvirtDomain *d, const QmpThread *thread,
                     const struct place_set *set)
{
    (void)d, (void)thread, (void)set;
    g_assert_not_reached();
}

#endif
