/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short names for what libxml2 does with nodes.
 */

#include <string.h>

#include "conversion.h"

xmlNodePtr add(xmlNodePtr parent, const char *name, const char *value)
{
    return xmlNewTextChild(parent, NULL, BAD_CAST name, BAD_CAST value);
}

xmlNodePtr add_number(xmlNodePtr parent, const char *name,
                      unsigned long long value)
{
    g_autofree char *text = g_strdup_printf("%llu", value);

    return add(parent, name, text);
}

xmlNodePtr find_child(xmlNodePtr parent, const char *name)
{
    for (xmlNodePtr node = parent ? parent->children : NULL; node;
         node = node->next) {
        if (node->type == XML_ELEMENT_NODE &&
            !strcmp((const char *)node->name, name)) {
            return node;
        }
    }
    return NULL;
}

xmlNodePtr child(xmlNodePtr parent, const char *name)
{
    xmlNodePtr node = find_child(parent, name);

    return node ? node : add(parent, name, NULL);
}

void set(xmlNodePtr node, const char *attribute, const char *value)
{
    if (value) {
        xmlSetProp(node, BAD_CAST attribute, BAD_CAST value);
    }
}

void set_number(xmlNodePtr node, const char *attribute,
                unsigned long long value)
{
    g_autofree char *text = g_strdup_printf("%llu", value);

    set(node, attribute, text);
}

static char *take(xmlChar *text)
{
    char *copy = g_strdup((const char *)text);

    xmlFree(text);
    return copy;
}

char *get(xmlNodePtr node, const char *attribute)
{
    return node ? take(xmlGetProp(node, BAD_CAST attribute)) : NULL;
}

gboolean has(xmlNodePtr node, const char *attribute, const char *value)
{
    g_autofree char *found = get(node, attribute);

    return !g_strcmp0(found, value);
}

void unset(xmlNodePtr node, const char *attribute)
{
    xmlUnsetProp(node, BAD_CAST attribute);
}

char *text_of(xmlNodePtr node)
{
    char *text = node ? take(xmlNodeGetContent(node)) : NULL;

    return text ? g_strstrip(text) : NULL;
}

void remove_node(xmlNodePtr node)
{
    if (node) {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

xmlNodePtr find_device(Conversion *c, const char *name, const char *attribute,
                       const char *value)
{
    for (xmlNodePtr node = c->devices->children; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE &&
            !strcmp((const char *)node->name, name) &&
            has(node, attribute, value)) {
            return node;
        }
    }
    return NULL;
}
