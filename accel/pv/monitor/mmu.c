/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's page tables.
 *
 * The guest writes them as it likes: it can only harm itself.  What it gets here is
 * the bit USER, which its kernel, in ring 3, needs for all of its pages, and which it
 * leaves out; and that a write to a read-only table of the lowest level, which Xen would
 * carry out for it, is carried out.
 */

#include "marks.h"

bool is_guest_frame(uint64_t mfn)
{
    unsigned int i;

    for (i = 0; i < PV_BOOT_RANGES; i++) {
        if (mfn >= boot->ranges[i].first && mfn < boot->ranges[i].end) {
            return mark_of(mfn) < MARK_KEPT;
        }
    }
    return false;
}

bool is_writable_frame(uint64_t mfn)
{
    return is_guest_frame(mfn) &&
           mark_of(mfn) != 4;
}

/* What a guest may map, too: rings, shared_info, grant tables. */
static bool is_special_frame(uint64_t mfn)
{
    return mfn == boot->xenstore_mfn || mfn == boot->console_mfn ||
           mfn == boot->shared_info_mfn ||
           (mfn >= boot->grant_mfn &&
            mfn < boot->grant_mfn + boot->nr_grant_mfns) ||
           (mfn >= boot->status_mfn &&
            mfn < boot->status_mfn + boot->nr_grant_mfns);
}

static uint64_t *walk_from(uint64_t top, uint64_t va, unsigned int level)
{
    uint64_t *table = frame(top);
    unsigned int at;

    for (at = 4; ; at--) {
        uint64_t *entry = &table[va >> (3 + 9 * at) & 511];
        /* Another vCPU may change it: what is checked is what is used. */
        uint64_t value = __atomic_load_n(entry, __ATOMIC_RELAXED);
        uint64_t mfn = (value & PTE_FRAME) >> PAGE_SHIFT;

        if (at == level) {
            return entry;
        }
        if (!(value & PTE_PRESENT) || value & PTE_LARGE ||
            !is_guest_frame(mfn)) {
            return NULL;
        }
        table = frame(mfn);
    }
}

uint64_t *pte_of(struct vcpu *v, uint64_t va, unsigned int level)
{
    return guest_range_ok(va, 1) ? walk_from(v->kernel_top, va, level) : NULL;
}

bool guest_frame_at(struct vcpu *v, uint64_t va, uint64_t *mfn)
{
    const uint64_t *entry = pte_of(v, va, 1);
    uint64_t value = entry ? __atomic_load_n(entry, __ATOMIC_RELAXED) : 0;

    *mfn = (value & PTE_FRAME) >> PAGE_SHIFT;
    return value & PTE_PRESENT && is_guest_frame(*mfn);
}

/* Updates ------------------------------------------------------------------------ */

static long set_entry(uint64_t *entry, uint64_t value, unsigned int level,
                      bool keep_ad)
{
    uint64_t target = (value & PTE_FRAME) >> PAGE_SHIFT;

    if (is_hypervisor_entry(entry)) {
        return -XEN_EINVAL;
    }
    if (value & PTE_PRESENT) {
        if (level > 1) {
            if (value & PTE_LARGE || !is_guest_frame(target)) {
                return -XEN_EINVAL;
            }
            /* Through an entry of its own, which is read-only, the guest writes no table. */
            if (level == 4 ? mark_of(target) == 4 && value & PTE_WRITE :
                             top_is_in_use(target)) {
                return -XEN_EINVAL;
            }
            mark_tables(target, level - 1);
        } else if (is_guest_frame(target)) {
            /*
             * Xen refuses to map a table writable: so it is none any more, but for
             * one that is loaded, in which the guest would overwrite the monitor.
             */
            if (value & PTE_WRITE) {
                set_mark(target, 0);
                if (!is_writable_frame(target)) {
                    return -XEN_EBUSY;
                }
            }
        } else if (!is_special_frame(target)) {
            /* RAM of another's, or no frame; or no RAM, which Xen calls I/O memory. */
            return target < boot->max_mfn || target == PTE_FRAME >> PAGE_SHIFT ?
                   -XEN_EINVAL : -XEN_EPERM;
        }
    }
    value = with_user(value);
    if (keep_ad) {
        uint64_t old = __atomic_load_n(entry, __ATOMIC_RELAXED);

        while (!__atomic_compare_exchange_n(
                   entry, &old,
                   value | (old & (PTE_ACCESSED | PTE_DIRTY)), false,
                   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        }
    } else {
        __atomic_store_n(entry, value, __ATOMIC_RELEASE);
    }
    return 0;
}

static long update_one(const void *operation)
{
    const struct mmu_update *update = operation;
    unsigned int type = update->ptr & 7;
    uint64_t address = update->ptr & ~7ul;
    uint64_t mfn = address >> PAGE_SHIFT;
    uint8_t level;

    switch (type) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_PRESERVE_AD:
    case MMU_PT_UPDATE_NO_TRANSLATE:
        if (!is_guest_frame(mfn)) {
            return -XEN_EINVAL;
        }
        level = mark_of(mfn);
        if (level > 4) {
            return -XEN_EINVAL;
        }
        if (!level) {
            /* No table, or none yet: what is in it is for the guest to say. */
            __atomic_store_n((uint64_t *)directmap(address), update->val,
                             __ATOMIC_RELEASE);
            return 0;
        }
        return set_entry(directmap(address), update->val, level,
                         type == MMU_PT_UPDATE_PRESERVE_AD);
    case MMU_MACHPHYS_UPDATE:
        return set_m2p(mfn, update->val) ? 0 : -XEN_EINVAL;
    default:
        return -XEN_ENOSYS;
    }
}

/* Whose pages the operations are about: Xen knows itself, I/O memory and domain 0, too. */
static long check_owner(domid_t domid, bool is_of_entries)
{
    switch (domid) {
    case DOMID_SELF:
        return 0;
    case DOMID_IO:
        return is_of_entries ? 0 : -XEN_EPERM;
    case DOMID_XEN:
    case 0:
        return -XEN_EPERM;
    default:
        return -XEN_ESRCH;
    }
}

/*
 * Operations, each of @size bytes, are carried out in turn until one fails.  The
 * first three of @args are the list, its length, and where the guest learns how many
 * were done, or 0.  A long list is left for the guest's upcalls: then @args say what
 * is still to do, and CONTINUED that @done has a number already.  As in Xen, it is the
 * guest's own problem if that can be read or written no more.
 */
#define CONTINUED 0x80000000u

static long in_turn(uint64_t *args, void *operation, size_t size,
                    long (*carry_out)(const void *operation))
{
    uint64_t list = args[0], done_at = args[2];
    unsigned int count = args[1] & ~CONTINUED, i, done = 0;
    long result = check_owner(args[3], carry_out == update_one);

    if (result) {
        return result;
    }
    if (args[1] & CONTINUED && done_at) {
        copy_from_guest(&done, done_at, sizeof(done));
    }
    for (i = 0; i < count; i++) {
        if (copy_from_guest(operation, list + i * size, size)) {
            result = -XEN_EFAULT;
            break;
        }
        result = carry_out(operation);
        if (result) {
            break;
        }
        if (i + 1 < count && wants_out(i)) {
            args[0] = list + (i + 1) * size;
            args[1] = (count - i - 1) | CONTINUED;
            result = CALL_AGAIN;
            i++;
            break;
        }
    }
    done += i;
    if (done_at) {
        copy_to_guest(done_at, &done, sizeof(done));
    }
    return result;
}

long call_mmu_update(uint64_t *args)
{
    struct mmu_update update;

    return in_turn(args, &update, sizeof(update), update_one);
}

long call_update_va_mapping(uint64_t va, uint64_t value, uint64_t flags)
{
    struct vcpu *v = this_vcpu();
    uint64_t *entry = pte_of(v, va, 1);
    uint64_t mask = flags & ~(uint64_t)UVMF_FLUSHTYPE_MASK;
    long result, flushed = 0;

    if (!entry) {
        return -XEN_EINVAL;
    }
    result = set_entry(entry, value, 1, false);
    switch (flags & UVMF_FLUSHTYPE_MASK) {
    case UVMF_TLB_FLUSH:
    case UVMF_INVLPG:
        if (mask == UVMF_LOCAL) {
            invlpg(va);
            if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_TLB_FLUSH) {
                flush_local(v);
            }
        } else if (mask == UVMF_ALL) {
            flush_all(v);
        } else {
            flushed = flush_many(v, mask);
        }
        break;
    }
    return result ? result : flushed;
}

/* Have @mfn for @top of the vCPU's; what a vCPU has stays a top-level table meanwhile. */
static long change_top(struct vcpu *v, uint64_t *top, uint64_t mfn)
{
    uint64_t old = *top;

    if (!is_guest_frame(mfn)) {
        return -XEN_EINVAL;
    }
    __atomic_store_n(&v->other_top, mfn, __ATOMIC_SEQ_CST);
    if (!make_top_table(mfn)) {
        __atomic_store_n(&v->other_top, 0, __ATOMIC_SEQ_CST);
        set_mark(mfn, 0);
        return -XEN_EINVAL;
    }
    __atomic_store_n(top, mfn, __ATOMIC_SEQ_CST);
    /* It may be loaded still. */
    __atomic_store_n(&v->other_top, old, __ATOMIC_SEQ_CST);
    return 0;
}

static void forget_other_top(struct vcpu *v)
{
    __atomic_store_n(&v->other_top, 0, __ATOMIC_SEQ_CST);
}

long set_kernel_top(struct vcpu *v, uint64_t mfn)
{
    long result = change_top(v, &v->kernel_top, mfn);

    if (!result) {
        load_cr3(v);
        forget_other_top(v);
    }
    return result;
}

long set_user_top(struct vcpu *v, uint64_t mfn)
{
    long result;

    if (!mfn) {
        __atomic_store_n(&v->user_top, 0, __ATOMIC_SEQ_CST);
        return 0;
    }
    result = change_top(v, &v->user_top, mfn);
    if (!result) {
        if (mfn != v->kernel_top) {
            /* The M2P is for the kernel alone. */
            ((uint64_t *)frame(mfn))[FIRST_SLOT] = 0;
        }
        forget_other_top(v);
    }
    return result;
}

static long mmuext_one(const void *operation)
{
    const struct mmuext_op *op = operation;
    struct vcpu *v = this_vcpu();
    uint64_t mfn = op->arg1.mfn;
    bool has_frame = is_guest_frame(mfn);

    switch (op->cmd) {
    case MMUEXT_PIN_L1_TABLE ... MMUEXT_PIN_L4_TABLE:
        if (!has_frame) {
            return -XEN_EINVAL;
        }
        /* One that is in use has the monitor's entries, of which user mode lacks one. */
        if (op->cmd == MMUEXT_PIN_L4_TABLE && !top_is_in_use(mfn)) {
            if (!make_top_table(mfn)) {
                set_mark(mfn, 0);
                return -XEN_EINVAL;
            }
            return 0;
        }
        mark_tables(mfn, op->cmd - MMUEXT_PIN_L1_TABLE + 1);
        return 0;
    case MMUEXT_UNPIN_TABLE:
        if (!has_frame) {
            return -XEN_EINVAL;
        }
        set_mark(mfn, 0);   /* if it is in use, it stays a table */
        return 0;
    case MMUEXT_NEW_BASEPTR:
        return set_kernel_top(v, mfn);
    case MMUEXT_NEW_USER_BASEPTR:
        return set_user_top(v, mfn);
    case MMUEXT_TLB_FLUSH_LOCAL:
        flush_local(v);
        return 0;
    case MMUEXT_INVLPG_LOCAL:
        if (guest_range_ok(op->arg1.linear_addr, 1)) {
            invlpg(op->arg1.linear_addr);
        }
        return 0;
    case MMUEXT_TLB_FLUSH_MULTI:
    case MMUEXT_INVLPG_MULTI:
        return flush_many(v, (uint64_t)op->arg2.vcpumask.p) ? -XEN_EINVAL : 0;
    case MMUEXT_TLB_FLUSH_ALL:
    case MMUEXT_INVLPG_ALL:
        flush_all(v);
        return 0;
    case MMUEXT_FLUSH_CACHE:
        return -XEN_EACCES;
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        return -XEN_EINVAL;
    case MMUEXT_SET_LDT:
        return set_ldt(v, op->arg1.linear_addr, op->arg2.nr_ents);
    case MMUEXT_CLEAR_PAGE:
        if (!is_writable_frame(mfn)) {
            return -XEN_EINVAL;
        }
        __builtin_memset(frame(mfn), 0, PAGE_SIZE);
        return 0;
    case MMUEXT_COPY_PAGE:
        if (!is_writable_frame(mfn) || !is_guest_frame(op->arg2.src_mfn)) {
            return -XEN_EINVAL;
        }
        __builtin_memcpy(frame(mfn), frame(op->arg2.src_mfn), PAGE_SIZE);
        return 0;
    case MMUEXT_MARK_SUPER:
    case MMUEXT_UNMARK_SUPER:
        return -XEN_EOPNOTSUPP;
    default:
        return -XEN_ENOSYS;
    }
}

long call_mmuext_op(uint64_t *args)
{
    struct mmuext_op op;

    return in_turn(args, &op, sizeof(op), mmuext_one);
}
