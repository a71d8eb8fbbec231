#include <gst/check/gstharness.h>

/* Appends a structure, and gives it away, to the field of a report that rtpsession keeps in a GValueArray: deprecated
 * since GLib 2.32, and still what its feedback events hold. */
static inline void deepfgs_check_append(GstStructure *report, const char *field, GstStructure *item)
{
    G_GNUC_BEGIN_IGNORE_DEPRECATIONS
    GValue array = G_VALUE_INIT, value = G_VALUE_INIT;
    const GValue *present = gst_structure_get_value(report, field);
    g_value_init(&array, g_value_array_get_type());
    if (present)
        g_value_copy(present, &array);
    else
        g_value_take_boxed(&array, g_value_array_new(1));
    g_value_init(&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&value, item);
    g_value_array_append((GValueArray *)g_value_get_boxed(&array), &value);
    g_value_unset(&value);
    gst_structure_take_value(report, field, &array);
    G_GNUC_END_IGNORE_DEPRECATIONS
}
