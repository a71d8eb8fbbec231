/* deepfgsdec: the format of what comes out. */
#include "dec.h"

gboolean deepfgs_dec_negotiate_picture(GstDeepFGSDec *self, const DeepFGSPicture *picture)
{
    GstVideoDecoder *base = GST_VIDEO_DECODER(self);
    gboolean reconfigure = gst_pad_check_reconfigure(GST_VIDEO_DECODER_SRC_PAD(self));
    if (self->output && !reconfigure && GST_VIDEO_INFO_WIDTH(&self->output->info) == (gint)picture->width &&
        GST_VIDEO_INFO_HEIGHT(&self->output->info) == (gint)picture->height &&
        deepfgs_colour_equal(&self->colour, &picture->colour) && self->pixel.width == picture->pixel.width &&
        self->pixel.height == picture->pixel.height)
        return TRUE;
    if (self->output)
        gst_video_codec_state_unref(self->output);
    self->colour = picture->colour;
    self->pixel = picture->pixel;

    /* The format that downstream likes best. */
    GstVideoFormat format = GST_VIDEO_FORMAT_RGB;
    GstStructure *wanted = NULL;
    GstCaps *allowed = gst_pad_get_allowed_caps(GST_VIDEO_DECODER_SRC_PAD(self));
    if (allowed && !gst_caps_is_empty(allowed)) {
        allowed = gst_caps_truncate(gst_caps_make_writable(allowed));
        wanted = gst_caps_get_structure(allowed, 0);
        gst_structure_fixate_field_string(wanted, "format", "RGB");
        const gchar *name = gst_structure_get_string(wanted, "format");
        if (name)
            format = gst_video_format_from_string(name);
    }
    self->output = gst_video_decoder_set_output_state(base, format, picture->width, picture->height, self->input);
    /* What the caps before say stands where the frame says nothing. */
    if (picture->pixel.width) {
        GST_VIDEO_INFO_PAR_N(&self->output->info) = (gint)picture->pixel.width;
        GST_VIDEO_INFO_PAR_D(&self->output->info) = (gint)picture->pixel.height;
    }
    deepfgs_set_colorimetry(&self->output->info, &picture->colour, wanted);
    gst_clear_caps(&allowed);
    return gst_video_decoder_negotiate(base);
}
