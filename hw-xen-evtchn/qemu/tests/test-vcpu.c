/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs that come and go while senders look for them: the very table that the
 * device has.  A CPUState is an address here, and what is behind it ours.
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/lockable.h"
#include "qemu/thread.h"

#include "hw/xen-evtchn/qemu/vcpu.h"

#define NR_VCPUS    3
#define VCPU        1
#define NR_SENDERS  3
#define ROUNDS      2000

typedef struct Object {
    bool exists;
} Object;

static CPUState *cpu_of(Object *object)
{
    return (CPUState *)object;
}

static void test_lookup(void)
{
    Object a = {};

    g_assert_null(xen_evtchn_get_cpu(VCPU));
    xen_evtchn_vcpu_publish(VCPU, cpu_of(&a));
    g_assert_true(xen_evtchn_cpu(VCPU) == cpu_of(&a));
    g_assert_true(xen_evtchn_get_cpu(VCPU) == cpu_of(&a));
    xen_evtchn_put_cpu(VCPU);
    g_assert_null(xen_evtchn_get_cpu(VCPU - 1));
    g_assert_null(xen_evtchn_get_cpu(VCPU + 1));
    g_assert_null(xen_evtchn_get_cpu(NR_VCPUS));
    g_assert_null(xen_evtchn_cpu(NR_VCPUS));
    xen_evtchn_vcpu_withdraw(VCPU);
    g_assert_null(xen_evtchn_get_cpu(VCPU));
    g_assert_null(xen_evtchn_cpu(VCPU));
}

/* Steps of two threads, in an order that is given. */
typedef struct Order {
    QemuMutex lock;
    QemuCond cond;
    int step;
} Order;

static void order_init(Order *order)
{
    qemu_mutex_init(&order->lock);
    qemu_cond_init(&order->cond);
    order->step = 0;
}

static void order_destroy(Order *order)
{
    qemu_mutex_destroy(&order->lock);
    qemu_cond_destroy(&order->cond);
}

static void wait_for_step(Order *order, int step)
{
    QEMU_LOCK_GUARD(&order->lock);
    while (order->step < step) {
        qemu_cond_wait(&order->cond, &order->lock);
    }
}

static void take_step(Order *order, int step)
{
    QEMU_LOCK_GUARD(&order->lock);
    order->step = step;
    qemu_cond_broadcast(&order->cond);
}

typedef struct Unplug {
    Order order;
    Object *plugged_next;
    bool withdrawn;
} Unplug;

/* Step 1: a sender has the vCPU. */
static void *unplug(void *opaque)
{
    Unplug *u = opaque;

    wait_for_step(&u->order, 1);
    xen_evtchn_vcpu_withdraw(VCPU);
    qatomic_set(&u->withdrawn, true);
    if (u->plugged_next) {
        xen_evtchn_vcpu_publish(VCPU, cpu_of(u->plugged_next));
    }
    return NULL;
}

/* The vCPU that a sender has found stays until the sender is done with it. */
static void test_unplug_in_use(void)
{
    Object a = {};
    Unplug u = {};
    QemuThread thread;

    order_init(&u.order);
    xen_evtchn_vcpu_publish(VCPU, cpu_of(&a));
    qemu_thread_create(&thread, "unplug", unplug, &u, QEMU_THREAD_JOINABLE);

    g_assert_true(xen_evtchn_get_cpu(VCPU) == cpu_of(&a));
    take_step(&u.order, 1);
    /* No other sender finds it any more, ... */
    while (xen_evtchn_cpu(VCPU)) {
        g_usleep(100);
    }
    g_assert_null(xen_evtchn_get_cpu(VCPU));
    /* ... but it is not gone. */
    g_usleep(20000);
    g_assert_false(qatomic_read(&u.withdrawn));
    xen_evtchn_put_cpu(VCPU);

    qemu_thread_join(&thread);
    g_assert_true(u.withdrawn);
    g_assert_null(xen_evtchn_get_cpu(VCPU));
    order_destroy(&u.order);
}

/*
 * A sender looked before a vCPU was unplugged, and goes on after another one of
 * that number was plugged: from then on all find the new one.
 */
static void test_replug_in_use(void)
{
    Object a = {}, b = {};
    Unplug u = { .plugged_next = &b };
    QemuThread thread;
    CPUState *found;

    order_init(&u.order);
    xen_evtchn_vcpu_publish(VCPU, cpu_of(&a));
    qemu_thread_create(&thread, "replug", unplug, &u, QEMU_THREAD_JOINABLE);

    found = xen_evtchn_get_cpu(VCPU);
    take_step(&u.order, 1);
    while (xen_evtchn_cpu(VCPU)) {
        g_usleep(100);
    }
    g_assert_true(found == cpu_of(&a));
    xen_evtchn_put_cpu(VCPU);
    qemu_thread_join(&thread);

    g_assert_true(xen_evtchn_get_cpu(VCPU) == cpu_of(&b));
    xen_evtchn_put_cpu(VCPU);
    xen_evtchn_vcpu_withdraw(VCPU);
    order_destroy(&u.order);
}

typedef struct Storm {
    Object objects[2];
    bool stop;
} Storm;

static void *sender(void *opaque)
{
    Storm *storm = opaque;
    uintptr_t found = 0;

    while (!qatomic_read(&storm->stop)) {
        CPUState *cs = xen_evtchn_get_cpu(VCPU);

        if (cs) {
            g_assert_true(qatomic_read(&((Object *)cs)->exists));
            g_assert_true(qatomic_read(&((Object *)cs)->exists));
            xen_evtchn_put_cpu(VCPU);
            found++;
        }
    }
    return (void *)found;
}

/* Plugged and unplugged under a storm: a sender finds only what exists. */
static void test_storm(void)
{
    Storm storm = {};
    QemuThread threads[NR_SENDERS];
    uintptr_t found = 0;
    int i;

    for (i = 0; i < NR_SENDERS; i++) {
        qemu_thread_create(&threads[i], "sender", sender, &storm,
                           QEMU_THREAD_JOINABLE);
    }
    for (i = 0; i < ROUNDS; i++) {
        Object *object = &storm.objects[i % 2];

        qatomic_set(&object->exists, true);
        xen_evtchn_vcpu_publish(VCPU, cpu_of(object));
        if (i % 16 == 0) {
            g_usleep(100);
        }
        g_assert_true(xen_evtchn_get_cpu(VCPU) == cpu_of(object));
        xen_evtchn_put_cpu(VCPU);
        xen_evtchn_vcpu_withdraw(VCPU);
        qatomic_set(&object->exists, false);
    }
    qatomic_set(&storm.stop, true);
    for (i = 0; i < NR_SENDERS; i++) {
        found += (uintptr_t)qemu_thread_join(&threads[i]);
    }
    g_assert_cmpuint(found, >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_null(xen_evtchn_get_cpu(0));
    xen_evtchn_vcpus_init(NR_VCPUS);

    g_test_add_func("/xen-evtchn/vcpu/lookup", test_lookup);
    g_test_add_func("/xen-evtchn/vcpu/unplug-in-use", test_unplug_in_use);
    g_test_add_func("/xen-evtchn/vcpu/replug-in-use", test_replug_in_use);
    g_test_add_func("/xen-evtchn/vcpu/storm", test_storm);
    return g_test_run();
}
