/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In a stream: the memory that the guest has given back. Its pages are zero there,
 * so at the other end the host gives none for them.
 */

#include "hypercalls.h"
#include "physmap.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "exec/cpu-common.h"
#include "exec/ramblock.h"
#include "hw/boards.h"
#include "migration/vmstate.h"

typedef struct Stretch {
    uint8_t block[256];           /* name of QEMU's RAM */
    uint64_t first, nr;         /* pages in it */
} Stretch;

typedef struct PhysmapStream {
    uint64_t nr_without_frame;
    int32_t nr;
    Stretch *stretches;
} PhysmapStream;

static PhysmapStream stream;

static void add_stretch(void *opaque, MemoryRegion *mr, uint64_t first,
                        uint64_t nr)
{
    Stretch s = { .first = first, .nr = nr };

    pstrcpy((char *)s.block, sizeof(s.block),
            qemu_ram_get_idstr(mr->ram_block));
    g_array_append_val(opaque, s);
}

static int pre_save(void *opaque)
{
    GArray *found = g_array_new(false, true, sizeof(Stretch));

    xen_physmap_for_each_stretch(add_stretch, found);
    stream.nr_without_frame = xen_physmap_without_frame();
    stream.nr = found->len;
    stream.stretches = (void *)g_array_free(found, false);
    return 0;
}

static int forget_stream(void *opaque)
{
    g_free(g_steal_pointer(&stream.stretches));
    stream.nr = 0;
    return 0;
}

static int post_load(void *opaque, int version_id)
{
    int32_t i;

    xen_physmap_reset();
    for (i = 0; i < stream.nr; i++) {
        Stretch *s = &stream.stretches[i];
        RAMBlock *block;

        s->block[sizeof(s->block) - 1] = 0;
        block = qemu_ram_block_by_name((char *)s->block);
        if (!block || !xen_physmap_load_stretch(block->mr, s->first, s->nr)) {
            error_report("the saved guest has given back memory that this "
                         "machine does not have");
            return -EINVAL;
        }
    }
    xen_physmap_load_without_frame(stream.nr_without_frame);
    return forget_stream(opaque);
}

static bool needed(void *opaque)
{
    return xen_physmap_without_frame() ||
           xen_physmap_ram() != MACHINE(qdev_get_machine())->ram_size;
}

static bool nr_valid(void *opaque, int version_id)
{
    return stream.nr >= 0 && stream.nr <= xen_physmap_max_pages();
}

static const VMStateDescription vmstate_stretch = {
    .name = "xen_physmap_stretch",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(block, Stretch, 256),
        VMSTATE_UINT64(first, Stretch),
        VMSTATE_UINT64(nr, Stretch),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_physmap = {
    .name = "xen_physmap",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = needed,
    .pre_save = pre_save,
    .post_save = forget_stream,
    .pre_load = forget_stream,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(nr_without_frame, PhysmapStream),
        VMSTATE_INT32(nr, PhysmapStream),
        VMSTATE_VALIDATE("number of stretches", nr_valid),
        VMSTATE_STRUCT_VARRAY_ALLOC(stretches, PhysmapStream, nr, 1,
                                    vmstate_stretch, Stretch),
        VMSTATE_END_OF_LIST()
    },
};

void xen_physmap_state_init(void)
{
    vmstate_register(NULL, 0, &vmstate_physmap, &stream);
}
