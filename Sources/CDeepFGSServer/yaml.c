#include <yaml.h>

#include "dgs_yaml.h"

struct DGSYAMLReader {
    yaml_parser_t parser;
    yaml_event_t event;
    gboolean holds_event;
};

DGSYAMLReader *dgs_yaml_new(const char *bytes, gsize length)
{
    DGSYAMLReader *reader = g_new0(DGSYAMLReader, 1);
    yaml_parser_initialize(&reader->parser);
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)bytes, length);
    return reader;
}

void dgs_yaml_free(DGSYAMLReader *reader)
{
    if (reader->holds_event)
        yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->parser);
    g_free(reader);
}

DGSYAMLEvent dgs_yaml_next(DGSYAMLReader *reader)
{
    if (reader->holds_event)
        yaml_event_delete(&reader->event);
    reader->holds_event = yaml_parser_parse(&reader->parser, &reader->event);
    if (!reader->holds_event) {
        const char *problem = reader->parser.problem ? reader->parser.problem : "not YAML";
        yaml_mark_t mark = reader->parser.problem_mark;
        return (DGSYAMLEvent){.kind = DGS_YAML_ERROR,
                              .text = problem,
                              .length = strlen(problem),
                              .line = (guint)mark.line + 1,
                              .column = (guint)mark.column + 1};
    }
    yaml_event_t *event = &reader->event;
    DGSYAMLEvent out = {.kind = DGS_YAML_OTHER,
                        .text = "",
                        .line = (guint)event->start_mark.line + 1,
                        .column = (guint)event->start_mark.column + 1};
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        out.kind = DGS_YAML_SCALAR;
        out.text = (const char *)event->data.scalar.value;
        out.length = event->data.scalar.length;
        out.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        break;
    case YAML_MAPPING_START_EVENT:
        out.kind = DGS_YAML_MAPPING;
        break;
    case YAML_SEQUENCE_START_EVENT:
        out.kind = DGS_YAML_SEQUENCE;
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        out.kind = DGS_YAML_CLOSE;
        break;
    case YAML_ALIAS_EVENT:
        out.kind = DGS_YAML_ALIAS;
        break;
    case YAML_DOCUMENT_START_EVENT:
        out.kind = DGS_YAML_DOCUMENT;
        break;
    case YAML_STREAM_END_EVENT:
        out.kind = DGS_YAML_END;
        break;
    default:
        break;
    }
    return out;
}
