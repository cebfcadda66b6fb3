/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's L0: of QEMU's Xen emulation what the monitor cannot do without. */

#include <pthread.h>

#include "machine.h"

#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>

struct machine_l0 machine_l0;

/* As TSan does not see those of glib. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t vcpu_is_up = PTHREAD_COND_INITIALIZER;
static bool stopped;

/* Nanoseconds for nanoseconds. */
static void set_time(vcpu_info_t *info)
{
    info->time.tsc_shift = 1;
    info->time.tsc_to_system_mul = 0x80000000;
    info->time.version += 2;
}

/* Another vCPU may look there. */
static void clear(uint64_t mfn, unsigned int order)
{
    uint64_t *word = frame(mfn), *end = frame(mfn + (1ul << order));

    for (; word < end; word++) {
        __atomic_store_n(word, 0, __ATOMIC_RELAXED);
    }
}

static long memory_op(unsigned int cmd, uint64_t arg)
{
    const struct xen_memory_reservation *op = (const void *)arg;
    unsigned int order;
    unsigned long mfn;

    switch (cmd) {
    case XENMEM_add_to_physmap: {
        const struct xen_add_to_physmap *map = (const void *)arg;
        shared_info_t *shared = frame(map->gpfn);
        unsigned int i;

        if (map->space == XENMAPSPACE_shared_info) {
            for (i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
                set_time(&shared->vcpu_info[i]);
            }
        }
        return 0;
    }
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        g_assert_cmpuint(op->nr_extents, ==, 1);
        mfn = *op->extent_start.p;
        order = op->extent_order;
        if (cmd == XENMEM_decrease_reservation) {
            machine_l0.nr_decreased += 1u << order;
        } else if (machine_l0.no_memory) {
            return 0;
        } else {
            machine_l0.nr_populated += 1u << order;
        }
        clear(mfn, order);
        return 1;
    default:
        return -XEN_ENOSYS;
    }
}

static long hvm_op(unsigned int cmd, uint64_t arg)
{
    struct xen_hvm_param *param = (void *)arg;

    switch (cmd) {
    case HVMOP_set_evtchn_upcall_vector:
        return 0;
    case HVMOP_get_param:
        param->value = param->index == HVM_PARAM_STORE_EVTCHN ? 1 :
                       param->index == HVM_PARAM_CONSOLE_EVTCHN ? 2 : 0;
        return param->value ? 0 : -XEN_EINVAL;
    default:
        return -XEN_ENOSYS;
    }
}

/* VCPUs ---------------------------------------------------------------------------- */

/* A vCPU that goes down stays in here until another one brings it up. */
static long down(struct machine_l0_vcpu *vcpu)
{
    vcpu->up = false;
    if (machine_hooks.idle) {
        pthread_mutex_unlock(&mutex);
        machine_hooks.idle();
        pthread_mutex_lock(&mutex);
    }
    while (!vcpu->up && !stopped) {
        pthread_cond_wait(&vcpu_is_up, &mutex);
    }
    return 0;
}

bool machine_l0_wait(unsigned int id)
{
    bool up;

    pthread_mutex_lock(&mutex);
    while (!machine_l0.vcpus[id].up && !stopped) {
        pthread_cond_wait(&vcpu_is_up, &mutex);
    }
    up = !stopped;
    pthread_mutex_unlock(&mutex);
    return up;
}

void machine_l0_stop(void)
{
    pthread_mutex_lock(&mutex);
    stopped = true;
    pthread_cond_broadcast(&vcpu_is_up);
    pthread_mutex_unlock(&mutex);
}

static long vcpu_op(unsigned int cmd, unsigned int id, uint64_t arg)
{
    struct machine_l0_vcpu *vcpu = &machine_l0.vcpus[id];
    const struct vcpu_hvm_context *context = (const void *)arg;
    const struct vcpu_register_vcpu_info *info = (const void *)arg;

    g_assert_cmpuint(id, <, boot->nr_vcpus);
    switch (cmd) {
    case VCPUOP_initialise:
        if (vcpu->initialised) {
            return -XEN_EEXIST;
        }
        vcpu->initialised = true;
        vcpu->rip = context->cpu_regs.x86_64.rip;
        vcpu->rsp = context->cpu_regs.x86_64.rsp;
        vcpu->cr3 = context->cpu_regs.x86_64.cr3;
        return 0;
    case VCPUOP_up:
        if (!vcpu->initialised) {
            return -XEN_EINVAL;
        }
        vcpu->up = true;
        pthread_cond_broadcast(&vcpu_is_up);
        return 0;
    case VCPUOP_down:
        g_assert_true(vcpu->up);
        return down(vcpu);
    case VCPUOP_is_up:
        return vcpu->up;
    case VCPUOP_register_vcpu_info:
        set_time((vcpu_info_t *)((uint8_t *)frame(info->mfn) + info->offset));
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

/* Events --------------------------------------------------------------------------- */

static long bind(uint32_t vcpu, uint32_t *port)
{
    uint32_t i;

    for (i = 1; i < ARRAY_SIZE(machine_l0.ports); i++) {
        if (!machine_l0.ports[i].used) {
            machine_l0.ports[i] = (struct machine_l0_port) {
                .used = true, .vcpu = vcpu,
            };
            *port = i;
            return 0;
        }
    }
    return -XEN_ENOSPC;
}

static struct machine_l0_port *used_port(uint32_t port)
{
    return port && port < ARRAY_SIZE(machine_l0.ports) &&
           machine_l0.ports[port].used ? &machine_l0.ports[port] : NULL;
}

static long event_channel_op(unsigned int cmd, void *arg)
{
    struct machine_l0_port *port;

    switch (cmd) {
    case EVTCHNOP_bind_ipi: {
        struct evtchn_bind_ipi *op = arg;

        return bind(op->vcpu, &op->port);
    }
    case EVTCHNOP_alloc_unbound: {
        struct evtchn_alloc_unbound *op = arg;

        return bind(0, &op->port);
    }
    case EVTCHNOP_bind_interdomain: {
        struct evtchn_bind_interdomain *op = arg;

        return op->remote_dom ? -XEN_ESRCH : bind(0, &op->local_port);
    }
    case EVTCHNOP_send:
        port = used_port(((struct evtchn_send *)arg)->port);
        if (!port) {
            return -XEN_EINVAL;
        }
        port->nr_sends++;
        return 0;
    case EVTCHNOP_close:
        port = used_port(((struct evtchn_close *)arg)->port);
        if (!port) {
            return -XEN_EINVAL;
        }
        port->used = false;
        return 0;
    case EVTCHNOP_bind_vcpu:
        port = used_port(((struct evtchn_bind_vcpu *)arg)->port);
        if (!port) {
            return -XEN_EINVAL;
        }
        port->vcpu = ((struct evtchn_bind_vcpu *)arg)->vcpu;
        return 0;
    case EVTCHNOP_status:
        ((struct evtchn_status *)arg)->status = EVTCHNSTAT_interdomain;
        return 0;
    case EVTCHNOP_reset:
        memset(machine_l0.ports + 1, 0,
               sizeof(machine_l0.ports) - sizeof(machine_l0.ports[0]));
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

void machine_l0_raise(uint32_t port, unsigned int vcpu)
{
    shared_info_t *shared = frame(boot->l0_shared_info_mfn);
    vcpu_info_t *info = vcpu_by_id(vcpu)->l0_info;
    uint64_t bit = 1ul << port % 64;

    g_assert_true(machine_l0.ports[port].used);
    __atomic_fetch_or(&shared->evtchn_pending[port / 64], bit,
                      __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&shared->evtchn_mask[port / 64], __ATOMIC_SEQ_CST) &
        bit) {
        return;
    }
    __atomic_fetch_or(&info->evtchn_pending_sel, 1ul << port / 64,
                      __ATOMIC_SEQ_CST);
    __atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
    machine_interrupt(vcpu, VECTOR_UPCALL);
}

/* Calls ---------------------------------------------------------------------------- */

static long sched_op(unsigned int cmd)
{
    if (cmd != SCHEDOP_shutdown) {
        return 0;
    }
    if (machine_end) {
        pthread_mutex_unlock(&mutex);
        longjmp(*machine_end, 1);
    }
    g_error("the guest has ended: %s", machine_l0.console->str);
}

static long carry_out(const struct pv_call *call)
{
    switch (call->number) {
    case __HYPERVISOR_memory_op:
        return memory_op(call->args[0], call->args[1]);
    case __HYPERVISOR_hvm_op:
        return hvm_op(call->args[0], call->args[1]);
    case __HYPERVISOR_vcpu_op:
        return vcpu_op(call->args[0], call->args[1], call->args[2]);
    case __HYPERVISOR_event_channel_op:
        return event_channel_op(call->args[0], (void *)call->args[1]);
    case __HYPERVISOR_sched_op:
        return sched_op(call->args[0]);
    case __HYPERVISOR_console_io:
        g_string_append_len(machine_l0.console, (const char *)call->args[2],
                            call->args[1]);
        return 0;
    case __HYPERVISOR_grant_table_op:
        if (call->args[0] == GNTTABOP_query_size) {
            struct gnttab_query_size *op = (void *)call->args[1];

            op->max_nr_frames = MACHINE_NR_GRANT_MFNS;
        }
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

void write_l0_port(void)
{
    struct pv_call *call = &machine_vcpu->call;
    long result;

    if (machine_hooks.before_l0) {
        machine_hooks.before_l0();
    }
    call->again = false;
    pthread_mutex_lock(&mutex);
    if (!machine_hooks.l0 || !machine_hooks.l0(call, &result)) {
        result = carry_out(call);
    }
    call->result = result;
    machine_l0.nr_calls++;
    machine_l0.last = *call;
    pthread_mutex_unlock(&mutex);
}
