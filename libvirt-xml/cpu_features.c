/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of the processor, and its features under libvirt's names.
 */

#include <string.h>

#include "domain.h"

/* Xen's names, and libvirt's where it has others. */
static const struct Feature {
    const char *xen;
    const char *libvirt;
} features[] = {
    { "3dnow", NULL },
    { "3dnowext", NULL },
    { "3dnowprefetch", NULL },
    { "abm", NULL },
    { "acpi", NULL },
    { "adx", NULL },
    { "aes", NULL },
    { "aesni", "aes" },
    { "altmovcr8", "cr8legacy" },
    { "apic", NULL },
    { "arat", NULL },
    { "avx", NULL },
    { "avx2", NULL },
    { "avx512bw", NULL },
    { "avx512cd", NULL },
    { "avx512dq", NULL },
    { "avx512f", NULL },
    { "avx512vl", NULL },
    { "bmi1", NULL },
    { "bmi2", NULL },
    { "clflushopt", NULL },
    { "clfsh", "clflush" },
    { "clwb", NULL },
    { "cmov", NULL },
    { "cmplegacy", "cmp_legacy" },
    { "cmpxchg16", "cx16" },
    { "cmpxchg8", "cx8" },
    { "cx16", NULL },
    { "cx8", NULL },
    { "de", NULL },
    { "erms", NULL },
    { "est", NULL },
    { "f16c", NULL },
    { "fma", NULL },
    { "fma4", NULL },
    { "fpu", NULL },
    { "fsgsbase", NULL },
    { "fxsr", NULL },
    { "hle", NULL },
    { "htt", "ht" },
    { "ibpb", NULL },
    { "invpcid", NULL },
    { "invtsc", NULL },
    { "itsc", "invtsc" },
    { "lahf-lm", "lahf_lm" },
    { "lahfsahf", "lahf_lm" },
    { "lm", NULL },
    { "mca", NULL },
    { "mce", NULL },
    { "md-clear", NULL },
    { "misalignsse", NULL },
    { "mmx", NULL },
    { "mmxext", NULL },
    { "monitor", NULL },
    { "movbe", NULL },
    { "msr", NULL },
    { "mtrr", NULL },
    { "nx", NULL },
    { "pae", NULL },
    { "page1gb", "pdpe1gb" },
    { "pat", NULL },
    { "pcid", NULL },
    { "pclmulqdq", "pclmuldq" },
    { "pge", NULL },
    { "pku", NULL },
    { "popcnt", NULL },
    { "pse", NULL },
    { "pse36", NULL },
    { "rdrand", NULL },
    { "rdseed", NULL },
    { "rdtscp", NULL },
    { "rtm", NULL },
    { "sep", NULL },
    { "sha", "sha-ni" },
    { "smap", NULL },
    { "smep", NULL },
    { "ss", NULL },
    { "ssbd", NULL },
    { "sse", NULL },
    { "sse2", NULL },
    { "sse3", "pni" },
    { "sse4.1", NULL },
    { "sse4.2", NULL },
    { "sse4_1", "sse4.1" },
    { "sse4_2", "sse4.2" },
    { "sse4a", NULL },
    { "ssse3", NULL },
    { "stibp", NULL },
    { "svm", NULL },
    { "syscall", NULL },
    { "sysenter", "sep" },
    { "tbm", NULL },
    { "tm", NULL },
    { "tsc", NULL },
    { "tsc-deadline", NULL },
    { "umip", NULL },
    { "vme", NULL },
    { "vmx", NULL },
    { "x2apic", NULL },
    { "xop", NULL },
    { "xsave", NULL },
    { "xsaveopt", NULL },
};

static const char *libvirt_feature(const char *xen)
{
    for (unsigned int i = 0; i < G_N_ELEMENTS(features); i++) {
        if (!strcmp(features[i].xen, xen)) {
            return features[i].libvirt ? features[i].libvirt : xen;
        }
    }
    return NULL;
}

static void add_feature(xmlNodePtr cpu, const char *name, gboolean is_on)
{
    xmlNodePtr feature = NULL;

    for (xmlNodePtr node = cpu->children; node; node = node->next) {
        if (has(node, "name", name)) {
            feature = node;
        }
    }
    if (!feature) {
        feature = add(cpu, "feature", NULL);
    }
    set(feature, "policy", is_on ? "require" : "disable");
    set(feature, "name", name);
}

/* "host,tm=0,sse3=0" */
static void map_cpuid(Conversion *c, xmlNodePtr cpu, int line,
                      const char *string)
{
    g_auto(GStrv) parts = g_strsplit(string, ",", -1);

    if (!parts[0] || strcmp(g_strstrip(parts[0]), "host")) {
        report_error(c, line, "cpuid: '%s' does not begin with 'host': see "
                     "xl.cfg(5)", string);
        return;
    }
    for (char **part = parts + 1; *part; part++) {
        g_auto(GStrv) pair = g_strsplit(*part, "=", 2);
        const char *name;

        if (!pair[0] || !pair[1]) {
            report_error(c, line, "cpuid: '%s' is no feature with a value: see "
                         "xl.cfg(5)", *part);
            return;
        }
        name = libvirt_feature(g_strstrip(pair[0]));
        g_strstrip(pair[1]);
        if (!name) {
            report_warning(c, line, "cpuid: %s dropped: libvirt has no such "
                           "feature: see <cpu> in its documents", pair[0]);
        } else if (!strcmp(pair[1], "0") || !strcmp(pair[1], "1")) {
            add_feature(cpu, name, *pair[1] == '1');
        } else if (strlen(pair[1]) != 1 || !strchr("xks", *pair[1])) {
            report_error(c, line, "cpuid: '%s': a feature is 0, 1, x, k or s",
                         *part);
        }
    }
}

void map_cpu_features(Conversion *c, Settings *cfg)
{
    gboolean is_kvm = !strcmp(c->options->type, "kvm");
    xmlNodePtr cpu = add(c->domain, "cpu", NULL);
    gboolean nested = FALSE;
    Setting *cpuid;

    /* A guest of Xen sees the host's processor; on TCG, all that TCG has. */
    set(cpu, "mode", is_kvm ? "host-model" : "maximum");
    if (c->guest != GUEST_PV) {
        nested = setting_bool(cfg, "nestedhvm", FALSE);
        if (!setting_bool(cfg, "nx", TRUE)) {
            add_feature(cpu, "nx", FALSE);
        }
    }
    if (!nested && is_kvm) {
        add_feature(cpu, "vmx", FALSE);
        add_feature(cpu, "svm", FALSE);
    }
    cpuid = setting(cfg, "cpuid");
    if (cpuid && cpuid->value->string) {
        map_cpuid(c, cpu, cpuid->line, cpuid->value->string);
    } else if (cpuid && cpuid->value->list->len) {
        report_warning(c, cpuid->line,
                       "cpuid: xend's format dropped: write it as "
                       "\"host,FEATURE=0,...\"");
    }
}
