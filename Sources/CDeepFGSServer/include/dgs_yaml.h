/* libyaml's events, one at a time, without the union that Swift sees them as. */
#ifndef DGS_YAML_H
#define DGS_YAML_H

#include <glib.h>

typedef struct DGSYAMLReader DGSYAMLReader;

typedef enum {
    DGS_YAML_END,
    DGS_YAML_SCALAR,
    DGS_YAML_MAPPING,
    DGS_YAML_SEQUENCE,
    /* The end of a mapping or sequence. */
    DGS_YAML_CLOSE,
    /* An alias: of no use in a configuration, refused. */
    DGS_YAML_ALIAS,
    DGS_YAML_ERROR,
    /* Start and end of documents and of the stream. */
    DGS_YAML_OTHER,
    /* A second document. */
    DGS_YAML_DOCUMENT,
} DGSYAMLKind;

typedef struct {
    DGSYAMLKind kind;
    /* Of a scalar, UTF-8; or what is wrong. Valid until the next event. */
    const char *text;
    gsize length;
    /* A scalar without quotes, whose type its text decides. */
    gboolean plain;
    /* From 1. */
    guint line, column;
} DGSYAMLEvent;

/* A reader of `length` bytes, which must outlive it. */
DGSYAMLReader *dgs_yaml_new(const char *bytes, gsize length);
DGSYAMLEvent dgs_yaml_next(DGSYAMLReader *reader);
void dgs_yaml_free(DGSYAMLReader *reader);

#endif
