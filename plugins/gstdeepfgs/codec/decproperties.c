/* deepfgsdec: its properties and statistics. */
#include "dec.h"

#define DEFAULT_ON_LOSS DEEPFGS_ON_LOSS_REPEAT

enum {
    PROP_0,
    PROP_MODEL_PATH,
    PROP_ON_LOSS,
    PROP_MAX_PIXELS,
    PROP_THREADS,
    PROP_PRECISION,
    PROP_MAX_LATENESS,
    PROP_STATS
};

#define TYPE_ON_LOSS (deepfgs_on_loss_get_type())
static GType deepfgs_on_loss_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {DEEPFGS_ON_LOSS_REPEAT, "show the last picture again, flagged as corrupted", "repeat"},
        {DEEPFGS_ON_LOSS_SKIP, "show nothing in its place", "skip"},
        {0, NULL, NULL},
    };
    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstDeepFGSOnLoss", values));
    return type;
}

static GstStructure *gst_deepfgs_dec_stats(GstDeepFGSDec *self)
{
    DeepFGSStatistic fields[DEEPFGS_MOST_STATISTICS];
    self->counts.latency = self->live.announced;
    gsize count = deepfgs_decoder_statistics(&self->counts, fields, G_N_ELEMENTS(fields));
    return deepfgs_structure_of("application/x-deepfgs-dec-stats", fields, MIN(count, G_N_ELEMENTS(fields)));
}

static void gst_deepfgs_dec_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    GstDeepFGSDec *self = GST_DEEPFGS_DEC(object);
    gboolean late = FALSE;
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL_PATH:
        g_free(self->model_path);
        self->model_path = g_value_dup_string(value);
        break;
    case PROP_ON_LOSS:
        self->on_loss = g_value_get_enum(value);
        break;
    case PROP_MAX_LATENESS:
        self->live.max_lateness = g_value_get_int64(value);
        break;
    case PROP_MAX_PIXELS:
        self->max_pixels = g_value_get_uint(value);
        break;
    default:
        if (!deepfgs_set_compute_property(&self->compute, value, spec))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        late = self->decoder != NULL;
    }
    GST_OBJECT_UNLOCK(self);
    if (late)
        GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS, ("%s counts when the element starts anew, in READY.", spec->name),
                            (NULL));
}

static void gst_deepfgs_dec_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    GstDeepFGSDec *self = GST_DEEPFGS_DEC(object);
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL_PATH:
        g_value_set_string(value, self->model_path);
        break;
    case PROP_ON_LOSS:
        g_value_set_enum(value, self->on_loss);
        break;
    case PROP_MAX_LATENESS:
        g_value_set_int64(value, self->live.max_lateness);
        break;
    case PROP_MAX_PIXELS:
        g_value_set_uint(value, self->max_pixels);
        break;
    case PROP_STATS:
        g_value_take_boxed(value, gst_deepfgs_dec_stats(self));
        break;
    default:
        if (!deepfgs_get_compute_property(&self->compute, value, spec))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(self);
}

void deepfgs_dec_init_properties(GstDeepFGSDec *self)
{
    self->on_loss = DEFAULT_ON_LOSS;
    self->live.max_lateness = DEEPFGS_DEFAULT_MAX_LATENESS;
    self->max_pixels = DEEPFGS_DEFAULT_MAX_PIXELS;
}

void deepfgs_dec_install_properties(GObjectClass *object_class)
{
    object_class->set_property = gst_deepfgs_dec_set_property;
    object_class->get_property = gst_deepfgs_dec_get_property;
    g_object_class_install_property(
        object_class, PROP_MODEL_PATH,
        g_param_spec_string("model-path", "Model path",
                            "Directories to search for the stream's model, or model files, separated by colons; those "
                            "of DEEPFGS_MODEL_PATH and deepfgs/models under the data directories follow",
                            NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_ON_LOSS,
        g_param_spec_enum("on-loss", "On loss", "What takes the place of a frame whose base did not arrive undamaged",
                          TYPE_ON_LOSS, DEFAULT_ON_LOSS,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(
        object_class, PROP_MAX_PIXELS,
        g_param_spec_uint("max-pixels", "Maximal pixels",
                          "Refuse pictures of more pixels than this before allocating anything for them: the budget of "
                          "memory, about 100 bytes for each, 0.9 GB at the default of 4096 by 2176",
                          1, DEEPFGS_MAX_PIXELS, DEEPFGS_DEFAULT_MAX_PIXELS,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    deepfgs_install_compute_properties(object_class, PROP_THREADS, PROP_PRECISION);
    deepfgs_live_install_property(object_class, PROP_MAX_LATENESS);
    g_object_class_install_property(
        object_class, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "Frames decoded, cut, damaged, repeated and late, bytes, and the latency announced, since "
                           "the element started",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    gst_type_mark_as_plugin_api(TYPE_ON_LOSS, 0);
}
