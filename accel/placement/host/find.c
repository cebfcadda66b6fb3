/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that come and go: QEMUs with a monitor for us, and libvirt's domains. */

#include "guest.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static Guest *find(const Guests *g, pid_t pid, const char *source)
{
    for (guint i = 0; i < g->guests->len; i++) {
        Guest *guest = g_ptr_array_index(g->guests, i);

        if (guest->pid == pid || !g_strcmp0(guest->source, source)) {
            return guest;
        }
    }
    return NULL;
}

/* Takes @guest, which has its name, its pid and where it is from; NULL: there are too many. */
static Guest *add(Guests *g, Guest *guest, const GArray *threads,
                  guint64 memory)
{
    struct place_vm_config c = { .memory = memory };
    struct place_set allowed;
    struct place_verdict v;
    char text[1024];

    guest->threads = g_array_new(FALSE, TRUE, sizeof(GuestThread));
    guest->place = PLACE_NONE;
    for (guint i = 0; i < threads->len; i++) {
        const QmpThread *t = &g_array_index(threads, QmpThread, i);

        c.vcpus = t->is_vcpu ? MAX(c.vcpus, t->index + 1) : c.vcpus;
    }
    c.policy = guest->policy = config_policy(g->config, guest->name);
    memset(&allowed, 0xff, sizeof(allowed));
    config_narrow(g->config, c.policy, TRUE, &allowed);
    c.allowed = &allowed;
    if (guests_admit(g, guest->pid, &c, &guest->place, &v)) {
        guest->place = PLACE_NONE;
        place_verdict_text(g->h, &c, &v, text, sizeof(text));
        fprintf(stderr, "xen-place: %s is left alone: %s\n", guest->name, text);
        c.policy = PLACE_IGNORE;
        if (place_vm_add(g->h, &c, guests_now(), &guest->place, &v)) {
            guest->place = PLACE_NONE;
            guest_free(g, guest);
            return NULL;
        }
    }
    g_ptr_array_add(g->guests, guest);
    guest_join_group(g, guest);
    for (guint i = 0; i < threads->len; i++) {
        guest_thread_open(g, guest, &g_array_index(threads, QmpThread, i));
    }
    place_explain(g->h, guest->place, PLACE_NONE, guest->name, guests_now(),
                  text, sizeof(text));
    fprintf(stderr, "xen-place: found %s: %s\n", guest->name, text);
    return guest;
}

Guest *guests_add_monitor(Guests *g, const char *path)
{
    Qmp *qmp = qmp_open(path);
    g_autoptr(GArray) threads = qmp ? qmp_threads(qmp) : NULL;
    g_autofree char *page = NULL;
    Guest *guest;

    /* A domain of libvirt's may have a second monitor. */
    if (!threads || find(g, qmp_pid(qmp), path)) {
        g_clear_pointer(&qmp, qmp_close);
        return NULL;
    }
    guest = g_new0(Guest, 1);
    guest->qmp = qmp;
    guest->pid = qmp_pid(qmp);
    guest->source = g_strdup(path);
    guest->name = qmp_name(qmp);
    page = qmp_traffic(qmp);
    guest->traffic = page ? traffic_open(page, guest->pid) : NULL;
    if (page && !guest->traffic) {
        fprintf(stderr, "xen-place: %s: %s is no page of its events\n",
                guest->name, page);
    }
    return add(g, guest, threads, qmp_memory(qmp));
}

static void add_domain(Guests *g, LibvirtDomain *domain)
{
    g_autoptr(GArray) threads = NULL;
    Guest *guest = find(g, domain->pid, NULL);

    if (guest && guest->domain) {
        /* The one that we have may be of a connection that is no more. */
        libvirt_domain_free(guest->domain);
        guest->domain = domain;
        return;
    }
    threads = guest ? NULL : libvirt_threads(domain);
    if (!threads) {
        libvirt_domain_free(domain);
        return;
    }
    guest = g_new0(Guest, 1);
    guest->domain = domain;
    guest->pid = domain->pid;
    guest->source = g_strdup_printf("libvirt:%d", domain->pid);
    guest->name = g_strdup(domain->name);
    add(g, guest, threads, domain->memory);
}

static void find_domains(Guests *g)
{
    g_autoptr(GPtrArray) domains = libvirt_domains(g->libvirt);

    for (guint i = 0; domains && i < domains->len; i++) {
        add_domain(g, g_ptr_array_index(domains, i));
    }
}

void guests_find(Guests *g, const char *folder)
{
    g_autoptr(GDir) dir = NULL;
    const char *name;

    for (guint i = g->guests->len; i-- > 0;) {
        Guest *guest = g_ptr_array_index(g->guests, i);

        if (guest->windows++ < GUEST_ASK_NOW && guest->threads->len) {
            continue;
        }
        if (!guest_query(g, guest)) {
            fprintf(stderr, "xen-place: %s is gone\n", guest->name);
            guest_free(g, guest);
            g_ptr_array_remove_index(g->guests, i);
            seen_again(&g->monitors);
        }
    }
    if (g->libvirt) {
        find_domains(g);
    }
    if (seen_changed(&g->monitors, folder)) {
        dir = g_dir_open(folder, 0, NULL);
    }
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat st;
        gboolean known = stat(path, &st) || !S_ISSOCK(st.st_mode);

        /* One that does not answer, or is in a domain's hands now, may do so later. */
        if (!known && !find(g, -1, path) && !guests_add_monitor(g, path)) {
            seen_again(&g->monitors);
        }
    }
}
