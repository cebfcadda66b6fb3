/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks what must hold between any two operations, whatever the guests do. */

#include "fuzz.h"

static struct guest *find(struct guest **g, uint16_t domid)
{
    for (unsigned int i = 0; i < FUZZ_DOMAINS; i++) {
        if (g[i]->domid == domid) {
            return g[i];
        }
    }
    return NULL;
}

static void check_peer(struct guest **all, struct guest *g, uint32_t port,
                       const struct evtchn_port_info *info)
{
    struct guest *peer = find(all, info->remote_domid);
    struct evtchn_port_info back;

    FUZZ_CHECK(peer);
    FUZZ_CHECK(!evtchn_port_info(peer->d, info->remote_port, &back));
    FUZZ_CHECK(back.state == EVTCHN_INTERDOMAIN);
    FUZZ_CHECK(back.remote_domid == g->domid && back.remote_port == port);
}

static void check_status(struct guest *g, uint32_t port,
                         const struct evtchn_port_info *info)
{
    struct evtchn_status status = { .dom = DOMID_SELF, .port = port };

    FUZZ_CHECK(!evtchn_op(g->d, EVTCHNOP_status, &status));
    FUZZ_CHECK(status.status ==
               (info->state == EVTCHN_RESERVED ? 0 : info->state));
    FUZZ_CHECK(status.status == EVTCHNSTAT_closed || status.vcpu == info->vcpu);
    switch (info->state) {
    case EVTCHN_UNBOUND:
        FUZZ_CHECK(status.u.unbound.dom == info->remote_domid);
        break;
    case EVTCHN_INTERDOMAIN:
        FUZZ_CHECK(status.u.interdomain.dom == info->remote_domid);
        FUZZ_CHECK(status.u.interdomain.port == info->remote_port);
        break;
    case EVTCHN_PIRQ:
        FUZZ_CHECK(status.u.pirq == info->irq);
        FUZZ_CHECK(evtchn_pirq_port(g->d, info->irq) == port);
        break;
    case EVTCHN_VIRQ:
        FUZZ_CHECK(status.u.virq == info->irq);
        FUZZ_CHECK(evtchn_virq_port(g->d, info->vcpu, info->irq) == port);
        break;
    default:
        break;
    }
}

static void check_port(struct guest **all, struct guest *g, uint32_t port)
{
    struct evtchn_port_info info;

    FUZZ_CHECK(!evtchn_port_info(g->d, port, &info));
    FUZZ_CHECK(info.state <= EVTCHN_RESERVED);
    FUZZ_CHECK((info.state == EVTCHN_RESERVED) == (port == 0));
    if (info.state == EVTCHN_CLOSED || info.state == EVTCHN_RESERVED) {
        return;
    }
    FUZZ_CHECK(port < g->max_ports);
    FUZZ_CHECK(info.vcpu < g->nr_vcpus);
    FUZZ_CHECK(info.abi == evtchn_domain_abi(g->d));
    FUZZ_CHECK(info.priority < EVTCHN_NR_PRIORITIES);
    if (info.state == EVTCHN_INTERDOMAIN) {
        check_peer(all, g, port, &info);
    }
    check_status(g, port, &info);
}

void fuzz_check_all(struct guest **g)
{
    for (unsigned int i = 0; i < FUZZ_DOMAINS; i++) {
        uint32_t nr = evtchn_domain_valid_ports(g[i]->d);
        struct evtchn_port_info info;

        FUZZ_CHECK(nr <= g[i]->max_ports + 63);
        FUZZ_CHECK(evtchn_port_info(g[i]->d, nr, &info) == -XEN_EINVAL);
        FUZZ_CHECK(evtchn_domain_memory(g[i]->d) == g[i]->heap.bytes);
        for (uint32_t port = 0; port < nr; port++) {
            check_port(g, g[i], port);
        }
    }
}
